import type { Fault } from '#base';

/** A fault as a person reads it in a terminal: its code, its sentence, and a line for each fact. */
export function faultText({ code, message, detail }: Fault): string {
  const facts = Object.entries(detail).map(([name, value]) => `\n  ${name}: ${String(value)}`);
  return `${code}: ${message}${facts.join('')}`;
}
