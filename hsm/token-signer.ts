import { randomBytes } from 'node:crypto';
import type { Fault } from '#base';
import { concatBytes, equalBytes, utf8 } from '#base';
import { normaliseEcdsa, verifyFabric } from '#crypto';
import type { PublicKey } from '#crypto';
import { digestOf } from './digest.ts';
import { fault } from './faults.ts';
import { findTokenKey } from './pkcs11-keys.ts';
import type { Handle } from './pkcs11-module.ts';
import type { Token } from './pkcs11-token.ts';
import type { SessionPool } from './session-pool.ts';
import type { SignOutcome } from './sign-session.ts';

/** A content to be signed. @see TokenSigner.sign */
export interface SignOrder {
  readonly keyLabel: string;
  readonly content: Uint8Array;
  /** Verify the signature before it leaves, whatever else; the first of every found key always is. */
  readonly verify?: boolean;
}

export interface SignerKeyWanted {
  readonly label: string;
  /** SubjectPublicKeyInfo that the certificate names; absent when there is no certificate yet. */
  readonly publicKey?: PublicKey | undefined;
}

interface FoundKey {
  handle: Handle;
  publicKey: PublicKey;
  /** Whether a signature through this handle verified in service. */
  proved: boolean;
}

/**
 * Signs with keys of one token that were found and proved; it recovers where that is safe.
 * Signing again is safe: what may be signed was decided, and recorded, for the content as such.
 */
export class TokenSigner {
  readonly #token: Token;
  readonly #pool: SessionPool;
  readonly #wanted: readonly SignerKeyWanted[];
  readonly #readPin: () => string;
  readonly #onLost: (reason: Fault) => void;
  readonly #found = new Map<string, FoundKey>();

  private constructor(options: TokenSignerOptions) {
    this.#token = options.token;
    this.#pool = options.pool;
    this.#wanted = options.keys;
    this.#readPin = options.readPin;
    this.#onLost = options.onLost;
  }

  /**
   * @throws HSM_KEY_ABSENT, HSM_KEY_AMBIGUOUS, HSM_KEY_UNSAFE, HSM_KEY_MISMATCH, HSM_SIGN_FAILED
   */
  static async open(options: TokenSignerOptions): Promise<TokenSigner> {
    const signer = new TokenSigner(options);
    await signer.#findKeys();
    return signer;
  }

  publicKeyOf(label: string): PublicKey {
    return this.#key(label).publicKey;
  }

  /**
   * @returns per order an ECDSA P-256 signature over SHA-256 of its content, DER with low s.
   * @throws HSM_SIGN_FAILED, HSM_SESSION_BUSY, HSM_SIGNATURE_INVALID, HSM_TOKEN_LOST; the batch
   *   then has no signature.
   */
  async sign(orders: readonly SignOrder[]): Promise<Uint8Array[]> {
    let outcomes = await this.#attempt(orders);
    const spoilt = outcomes.find(isFailure);
    if (spoilt !== undefined) {
      await this.#recover(spoilt);
      outcomes = await this.#attempt(orders);
    }
    return outcomes.map((outcome, index) => this.#release(orders[index] as SignOrder, outcome));
  }

  #attempt(orders: readonly SignOrder[]): Promise<SignOutcome[]> {
    const jobs = orders.map(({ keyLabel, content }) => ({
      key: this.#key(keyLabel).handle,
      digest: digestOf(content),
    }));
    return this.#pool.sign(jobs);
  }

  #release(order: SignOrder, outcome: SignOutcome): Uint8Array {
    if (isFailure(outcome)) throw fault('HSM_SIGN_FAILED', { name: outcome.name });
    const key = this.#key(order.keyLabel);
    const signature = normaliseEcdsa(outcome.raw, 'P-256');
    if (order.verify === true || !key.proved) {
      if (!verifyFabric(key.publicKey, order.content, signature)) {
        throw this.#lost('HSM_SIGNATURE_INVALID', { key: order.keyLabel });
      }
      key.proved = true;
    }
    return signature;
  }

  /** Returns when it is worth trying once more. */
  async #recover({ failed, name }: Failure): Promise<void> {
    switch (failed) {
      case 'caller':
        throw fault('HSM_SIGN_FAILED', { name });
      case 'saturation':
        throw fault('HSM_SESSION_BUSY', { name });
      case 'reinit':
      case 'operator':
        throw this.#lost('HSM_TOKEN_LOST', { name });
      case 'newSession':
        // The session closed itself; the next signature opens another.
        return;
      case 'relogin':
      case 'refind':
        return this.#findAgain(name);
    }
  }

  /** Stale handles and a lost login look alike: private objects vanish with the login. */
  async #findAgain(name: string): Promise<void> {
    try {
      this.#token.logIn(this.#readPin());
      await this.#findKeys();
    } catch (cause) {
      throw this.#lost('HSM_TOKEN_LOST', { name }, cause);
    }
  }

  /** Handles may name other keys after a token came back, so every key is found and proved anew. */
  async #findKeys(): Promise<void> {
    for (const { label, publicKey: certified } of this.#wanted) {
      const { handle, publicKey } = findTokenKey(this.#token, label);
      if (certified !== undefined && !equalBytes(certified.spki, publicKey.spki)) {
        throw fault('HSM_KEY_MISMATCH', { key: label });
      }
      await this.#prove(label, handle, publicKey);
      this.#found.set(label, { handle, publicKey, proved: false });
    }
  }

  /** The public half on the token is only data that someone wrote there: the private one must fit. */
  async #prove(label: string, key: Handle, publicKey: PublicKey): Promise<void> {
    const challenge = concatBytes(utf8('countersign key proof\0'), randomBytes(32));
    const [outcome] = await this.#pool.sign([{ key, digest: digestOf(challenge) }]);
    if (outcome === undefined || isFailure(outcome)) {
      throw fault('HSM_SIGN_FAILED', { key: label, name: outcome?.name });
    }
    if (!verifyFabric(publicKey, challenge, normaliseEcdsa(outcome.raw, 'P-256'))) {
      throw fault('HSM_KEY_MISMATCH', { key: label });
    }
  }

  #key(label: string): FoundKey {
    const key = this.#found.get(label);
    if (key === undefined) throw fault('HSM_KEY_UNKNOWN', { key: label });
    return key;
  }

  #lost(
    code: 'HSM_TOKEN_LOST' | 'HSM_SIGNATURE_INVALID',
    detail: Record<string, string>,
    cause?: unknown,
  ): Fault {
    const reason = fault(code, detail, cause);
    this.#onLost(reason);
    return reason;
  }
}

export interface TokenSignerOptions {
  readonly token: Token;
  readonly pool: SessionPool;
  readonly keys: readonly SignerKeyWanted[];
  /** For a login after the first; the PIN is kept nowhere in between. */
  readonly readPin: () => string;
  /** The token or its module is beyond recovery in this process. */
  readonly onLost: (reason: Fault) => void;
}

type Failure = Extract<SignOutcome, { failed: unknown }>;

function isFailure(outcome: SignOutcome): outcome is Failure {
  return 'failed' in outcome;
}
