import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** A stock peer does not start on a machine that has loopback only; nothing answers on the other end. */
const interfaces = [
  'link set lo up',
  'link add wan0 type veth peer name wan1',
  'address add 192.0.2.1/32 dev wan0',
  'link set wan0 up',
];

/** Why this machine cannot have domains; undefined when it can. */
export function whyNoDomains(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    execFileSync('ip', ['netns', 'list']);
    return undefined;
  } catch (error) {
    return `no network namespaces: ${(error as Error).message}`;
  }
}

/** Network namespaces, each with a loopback of its own and no other way out. */
export class Domains implements AsyncDisposable {
  /** Sets these namespaces apart from those of other runs. */
  readonly id: string;
  readonly #made: readonly string[];

  private constructor(id: string, made: readonly string[]) {
    this.id = id;
    this.#made = made;
  }

  /** @throws Error when the machine has none; see {@link whyNoDomains}. */
  static async make(names: readonly string[]): Promise<Domains> {
    const id = `countersign-${process.pid}`;
    const domains = new Domains(id, names);
    try {
      for (const name of names) {
        await execute('ip', ['netns', 'add', `${id}-${name}`]);
        for (const line of interfaces) {
          const [command, ...args] = domains.prefix(name);
          await execute(command, [...args, 'ip', ...line.split(' ')]);
        }
      }
      return domains;
    } catch (error) {
      await domains[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Domains that another process made and removes. */
  static of(id: string): Domains {
    return new Domains(id, []);
  }

  /** Put before a command, it runs the command in the domain. */
  prefix(name: string): [string, ...string[]] {
    return ['ip', 'netns', 'exec', `${this.id}-${name}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#made) {
      await execute('ip', ['netns', 'delete', `${this.id}-${name}`]).catch(() => {});
    }
  }
}
