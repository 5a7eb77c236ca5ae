import { pino } from 'pino';
import type { Log } from '#base';

type Line = Readonly<Record<string, unknown>>;

/** A log that a test reads, and waits for. */
export class LogLines {
  readonly lines: Line[] = [];
  readonly log: Log;
  readonly #waiting = new Set<() => void>();

  constructor(level = 'debug') {
    const write = (text: string) => {
      this.lines.push(JSON.parse(text) as Line);
      for (const look of this.#waiting) look();
    };
    this.log = pino({ level }, { write });
  }

  /** The lines that have all these facts. */
  with(facts: Line): Line[] {
    return this.lines.filter((line) =>
      Object.entries(facts).every(([name, value]) => line[name] === value),
    );
  }

  /** Resolves when there is such a line, at once when there was one. */
  async waitFor(facts: Line, count = 1): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.with(facts).length < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
