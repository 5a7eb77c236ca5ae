import { fileURLToPath } from 'node:url';

// The door leads to no PKCS#11 call: only the signer host's own process loads a module.
export { checkKeyCertificate, unitOfRole } from './certificate-checks.ts';
export type { CertificateDemand } from './certificate-checks.ts';
export { SignerConfig } from './config.ts';
export type { KeyConfig } from './config.ts';

/** The program of a signer host, for whoever starts its process: `node FILE CONFIG.json`. */
export const signerHostMain: string = fileURLToPath(new URL('./main.ts', import.meta.url));
