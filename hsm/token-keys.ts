import { toHex } from '#base';
import type { PublicKey } from '#crypto';
import type { WrappedKey } from './pkcs11-imports.ts';
import type { KeyOrigin } from './pkcs11-keys.ts';
import type { TokenSigner } from './token-signer.ts';
import type { TokenSupervisor } from './token-supervisor.ts';

interface KnownKey {
  readonly publicKey: PublicKey | undefined;
  readonly origin: KeyOrigin;
}

/** The keys that the processes of a token find and prove, by label; changed while they sign. */
export class TokenKeys {
  readonly #tokens: TokenSupervisor;
  readonly #signer: TokenSigner;
  readonly #keys: Map<string, KnownKey>;

  /** @param keys those that the token was opened with. */
  constructor(
    tokens: TokenSupervisor,
    signer: TokenSigner,
    keys: readonly (KnownKey & { label: string })[],
  ) {
    this.#tokens = tokens;
    this.#signer = signer;
    this.#keys = new Map(keys.map(({ label, ...key }) => [label, key]));
  }

  /**
   * Makes all processes sign with a key of the token, and the token make it unless it has it.
   *
   * @param origin one that is imported is not made.
   * @throws HSM_KEY_ABSENT it may not be made; HSM_KEY_UNSAFE, HSM_KEY_UNPROVED, HSM_TOKEN_LOST
   */
  async bring(
    label: string,
    { mayMake = true, origin = 'local' }: { mayMake?: boolean; origin?: KeyOrigin } = {},
  ): Promise<PublicKey> {
    const known = this.#keys.get(label)?.publicKey;
    if (known !== undefined) return known;
    const process = this.#tokens.anyProcess();
    const isMade = mayMake && origin === 'local';
    const publicKey = await (isMade ? process.generate(label) : process.find({ label, origin }));
    return this.#take(label, { publicKey, origin });
  }

  /**
   * Has the token make the key under which one is brought to it, unless it has it.
   *
   * @throws HSM_KEY_UNSAFE, HSM_TOKEN_LOST
   */
  wrappingKey(label: string): Promise<PublicKey> {
    return this.#tokens.anyProcess().generateWrapping(label);
  }

  /**
   * Has the token unwrap a key, and makes all processes sign with it.
   *
   * @throws HSM_WRAPPING_KEY_ABSENT, HSM_IMPORT_FAILED, HSM_KEY_UNSAFE, HSM_KEY_UNPROVED, HSM_TOKEN_LOST
   */
  async import(label: string, brought: WrappedKey): Promise<PublicKey> {
    await this.#tokens.anyProcess().import(label, brought);
    return this.#take(label, { publicKey: brought.publicKey, origin: 'imported' });
  }

  /** SHA-256 of its SubjectPublicKeyInfo, hex; undefined for one that was not brought. */
  fingerprintOf(label: string): string | undefined {
    return this.#keys.get(label)?.publicKey?.fingerprint;
  }

  /** Has all processes forget it, then destroys it. Nobody may be signing with it. @throws HSM_KEY_UNDESTROYED */
  async destroy(label: string): Promise<void> {
    if (this.#keys.delete(label)) await this.#teach();
    await this.#tokens.anyProcess().destroy(label);
  }

  async #take(label: string, key: KnownKey & { publicKey: PublicKey }): Promise<PublicKey> {
    this.#keys.set(label, key);
    await this.#teach();
    this.#signer.serve({ label, publicKey: key.publicKey });
    return key.publicKey;
  }

  #teach(): Promise<void> {
    const keys = [...this.#keys].map(([label, { publicKey, origin }]) => ({
      label,
      origin,
      ...(publicKey !== undefined && { spkiHex: toHex(publicKey.spki) }),
    }));
    return this.#tokens.useKeys(keys);
  }
}
