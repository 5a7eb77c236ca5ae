import { setResult } from 'countersign';

export function now(): void {
  setResult(Date.now() > 0 ? 'late' : 'early');
}
