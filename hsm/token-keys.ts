import { toHex } from '#base';
import type { PublicKey } from '#crypto';
import type { TokenSigner } from './token-signer.ts';
import type { TokenSupervisor } from './token-supervisor.ts';

/** The keys that the processes of a token find and prove, by label; changed while they sign. */
export class TokenKeys {
  readonly #tokens: TokenSupervisor;
  readonly #signer: TokenSigner;
  readonly #keys: Map<string, PublicKey | undefined>;

  /** @param keys those that the token was opened with. */
  constructor(
    tokens: TokenSupervisor,
    signer: TokenSigner,
    keys: readonly { label: string; publicKey: PublicKey | undefined }[],
  ) {
    this.#tokens = tokens;
    this.#signer = signer;
    this.#keys = new Map(keys.map(({ label, publicKey }) => [label, publicKey]));
  }

  /**
   * Makes all processes sign with a key of the token, and the token make it unless it has it.
   *
   * @throws HSM_KEY_ABSENT it may not be made; HSM_KEY_UNSAFE, HSM_KEY_UNPROVED, HSM_TOKEN_LOST
   */
  async bring(label: string, { mayMake = true } = {}): Promise<PublicKey> {
    const known = this.#keys.get(label);
    if (known !== undefined) return known;
    const process = this.#tokens.anyProcess();
    const publicKey = await (mayMake ? process.generate(label) : process.find(label));
    this.#keys.set(label, publicKey);
    await this.#teach();
    this.#signer.serve({ label, publicKey });
    return publicKey;
  }

  /** SHA-256 of its SubjectPublicKeyInfo, hex; undefined for one that was not brought. */
  fingerprintOf(label: string): string | undefined {
    return this.#keys.get(label)?.fingerprint;
  }

  /** Has all processes forget it, then destroys it. Nobody may be signing with it. @throws HSM_KEY_UNDESTROYED */
  async destroy(label: string): Promise<void> {
    if (this.#keys.delete(label)) await this.#teach();
    await this.#tokens.anyProcess().destroy(label);
  }

  #teach(): Promise<void> {
    const keys = [...this.#keys].map(([label, publicKey]) => ({
      label,
      ...(publicKey !== undefined && { spkiHex: toHex(publicKey.spki) }),
    }));
    return this.#tokens.useKeys(keys);
  }
}
