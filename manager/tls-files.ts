import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { limits } from '#base';
import type { Log } from '#base';
import type { TlsPair } from './listen-place.ts';

export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** The certificate of an endpoint and its key, as the files have them. */
export function readTlsFiles({ certificateFile, keyFile }: TlsFiles): TlsPair {
  return {
    certificate: readFileSync(certificateFile, 'utf8'),
    privateKey: readFileSync(keyFile, 'utf8'),
  };
}

/**
 * Puts a TLS certificate to use when its files change, for connections that come from then on; those
 * that are open keep theirs. A pair that does not belong together is one half written: it is looked at
 * again.
 */
export class TlsWatch implements Disposable {
  readonly #files: TlsFiles;
  readonly #use: (tls: TlsPair) => void;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #version: string;

  constructor(files: TlsFiles, use: (tls: TlsPair) => void, log: Log) {
    this.#files = files;
    this.#use = use;
    this.#log = log;
    this.#version = versionOf(files);
    this.#timer = setInterval(() => this.#look(), limits.tlsLookMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { certificateFile } = this.#files;
    try {
      // The version first: a change in between is then read twice, not missed.
      const version = versionOf(this.#files);
      if (version === this.#version) return;
      const tls = readTlsFiles(this.#files);
      if (!belongTogether(tls)) return;
      this.#use(tls);
      this.#version = version;
      this.#log.info({ certificateFile }, 'A TLS certificate was changed.');
    } catch (error) {
      this.#log.warn({ certificateFile, err: error }, 'A TLS certificate cannot be taken.');
    }
  }
}

function versionOf({ certificateFile, keyFile }: TlsFiles): string {
  const facts = [certificateFile, keyFile].map((file) => {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  });
  return facts.join(' ');
}

function belongTogether({ certificate, privateKey }: TlsPair): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey));
}
