import pkcs11js from 'pkcs11js';
import type { Digest } from './digest.ts';
import { readPkcs11Error } from './pkcs11-errors.ts';
import type { Pkcs11Failure } from './pkcs11-errors.ts';
import type { Handle, Pkcs11 } from './pkcs11-module.ts';
import { openSession } from './pkcs11-session.ts';

/** One signature to be made. `key` is a handle of the token's module. */
export interface SignJob {
  readonly key: Handle;
  readonly digest: Digest;
}

/** r‖s of 64 bytes as the token made it, good until the session's next signature; or what stopped it. */
export type SignOutcome = { readonly raw: Uint8Array } | { readonly failed: Pkcs11Failure };

const mechanism = { mechanism: pkcs11js.CKM_ECDSA };

/** One session of a token, for one thread: a session has one active operation. */
export class SignSession {
  readonly #pkcs11: Pkcs11;
  readonly #slot: Handle;
  #session: Handle | undefined;
  readonly #signature = Buffer.alloc(64);

  constructor(pkcs11: Pkcs11, slot: Handle) {
    this.#pkcs11 = pkcs11;
    this.#slot = slot;
  }

  /** Blocks the thread until the token has answered; never throws. */
  sign({ key, digest }: SignJob): SignOutcome {
    try {
      this.#session ??= openSession(this.#pkcs11, this.#slot);
      this.#pkcs11.C_SignInit(this.#session, mechanism, key);
      const input = Buffer.from(digest.buffer, digest.byteOffset, digest.length);
      return { raw: this.#pkcs11.C_Sign(this.#session, input, this.#signature) };
    } catch (error) {
      // A failed signature leaves its operation open, and the session would refuse every later one.
      this.close();
      return { failed: readPkcs11Error(error) };
    }
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    try {
      this.#pkcs11.C_CloseSession(session);
    } catch (error) {
      // It is being given up; a token that is gone says so at the next call.
      readPkcs11Error(error);
    }
  }
}
