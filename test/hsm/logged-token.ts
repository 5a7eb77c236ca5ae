import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { utf8 } from '#base';
import { importPublicKey, normaliseEcdsa, pemBlocks, sha256 } from '#crypto';
import { segmentsIn, verifySignatureLog } from '#custody';
import type { KnownOfLog, LoggedSignature, SignatureLogReport } from '#custody';
import { SignatureLog } from '../../hsm/signature-log.ts';
import type { SignatureLogOptions } from '../../hsm/signature-log.ts';
import { ecKeyPair } from '../support/operators.ts';

/** A directory with a signature log, to be opened again and again; a software key signs its checkpoints. */
export class LoggedToken {
  readonly dir: string;
  readonly checkpointKey = ecKeyPair();
  readonly publicKey = importPublicKey(
    pemBlocks(this.checkpointKey.publicPem, 'PUBLIC KEY')[0] as Uint8Array,
  );
  readonly delays: unknown[] = [];
  nowMs = 5_000_000;
  isTokenAway = false;
  rolls = 0;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** As a host opens it when it starts. */
  open(options: Partial<SignatureLogOptions> = {}): SignatureLog {
    const log = new SignatureLog({
      dir: this.dir,
      token: 'org1',
      clock: { nowMs: () => this.nowMs },
      sign: (statement) => this.#sign(statement),
      fingerprintOf: () => this.publicKey.fingerprint,
      onRolled: () => Promise.resolve(void (this.rolls += 1)),
      onDelay: (error) => this.delays.push(error),
      ...options,
    });
    try {
      log.begin();
      return log;
    } catch (error) {
      log.close();
      throw error;
    }
  }

  /** All that is kept, oldest first. */
  segments(): Buffer[] {
    return segmentsIn(this.dir).map(({ path }) => readFileSync(path));
  }

  verify(segments: readonly Uint8Array[] = this.segments(), known: KnownOfLog = {}) {
    const signatures: LoggedSignature[] = [];
    const of = { token: 'org1', keys: [this.publicKey], ...known };
    const report: SignatureLogReport = verifySignatureLog(segments, of, (one) =>
      signatures.push(one),
    );
    return { report, signatures };
  }

  #sign(statement: Uint8Array) {
    if (this.isTokenAway) return Promise.reject(new Error('the token is away'));
    const key = this.checkpointKey.privateKey;
    const raw = sign('sha256', statement, { key, dsaEncoding: 'ieee-p1363' });
    return Promise.resolve({ key: 'node0', signature: normaliseEcdsa(raw, 'P-256') });
  }
}

/** What a call may have signed: so many contents of their own. */
export function batchOf(name: string, count: number): LoggedSignature[] {
  return Array.from({ length: count }, (_unused, index) => ({
    label: index % 2 === 0 ? 'node0' : 'relay of zone~2',
    kind: index % 2 === 0 ? 'endorsement' : 'envelope',
    digest: sha256(utf8(`${name} ${index}`)),
  }));
}
