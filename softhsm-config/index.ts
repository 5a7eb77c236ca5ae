export { findSoftHsmModule } from './module-path.ts';
export { listTokenKeys, runProvisioning } from './run-provisioning.ts';
export type { ProvisionedToken } from './run-provisioning.ts';
export { tokenFiles } from './token-files.ts';
export type { TokenFiles } from './token-files.ts';
export type { ListedKey, ProvisionedKey, ProvisionSpec } from './token-spec.ts';
