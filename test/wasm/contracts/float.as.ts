import { argCount, decimal, setResult } from 'countersign';

export function half(): void {
  const value = (argCount() as f64) * 0.5;
  setResult(decimal(value as i64));
}
