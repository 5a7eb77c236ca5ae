import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { goProgram } from './go-program.ts';

/** Of the module of the stock programs, so that both are of one version. */
const sourceDir = join(import.meta.dirname, 'fabric-tools', 'config-oracle');

export interface OracleQuestion {
  readonly channel: string;
  /** common.Config in force. */
  readonly config: Uint8Array;
  /** common.Envelope of type CONFIG_UPDATE, for an orderer; or */
  readonly update?: Uint8Array;
  /** common.ConfigEnvelope of a block, for a peer. */
  readonly result?: Uint8Array;
}

export interface OracleAnswer {
  readonly good: boolean;
  /** common.Config after a good update. */
  readonly config?: Uint8Array;
  /** What Fabric says of a bad one. */
  readonly reason?: string;
}

/**
 * Asks Fabric's own code, in one process for all questions.
 *
 * @param orderer who orders; its signature has to satisfy the channel's writers.
 */
export async function askFabric(
  questions: readonly OracleQuestion[],
  orderer: { serialized: Uint8Array; keyPem: string },
): Promise<OracleAnswer[]> {
  const child = spawn(await goProgram(sourceDir), [], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  const base64 = (bytes?: Uint8Array) => bytes && Buffer.from(bytes).toString('base64');
  for (const { channel, config, update, result } of questions) {
    child.stdin.write(
      `${JSON.stringify({
        channel,
        config: base64(config),
        update: base64(update),
        result: base64(result),
        signer: base64(orderer.serialized),
        keyPem: orderer.keyPem,
      })}\n`,
    );
  }
  child.stdin.end();
  const answers: OracleAnswer[] = [];
  for await (const line of lines) {
    const said = JSON.parse(line) as { good: boolean; config?: string; reason?: string };
    const { good, config, reason } = said;
    answers.push({
      good,
      ...(config !== undefined && { config: new Uint8Array(Buffer.from(config, 'base64')) }),
      ...(reason !== undefined && { reason }),
    });
  }
  return answers;
}
