export { SignerConfig } from './config.ts';
export type { KeyConfig } from './config.ts';
export { openSignerHost } from './signer-host.ts';
export type { SignerHostDeps } from './signer-host.ts';
