export { certificateSourceOf, obtainCertificate, pastedSource } from './certificate-sources.ts';
export type { CertificateSource } from './certificate-sources.ts';
export { identitySigner, pemSigner, updateChannel } from './channel-update.ts';
export { certifyKey, keyRequest } from './certify-key.ts';
export { signRequest } from './client-key.ts';
export type { ClientKey } from './client-key.ts';
export { admitIdentity, clientKey, newClient, revokeClient } from './clients.ts';
export {
  approveContract,
  commitContract,
  contractCode,
  deployContract,
  lifecycleFunctions,
} from './deploy.ts';
export type { Deployment } from './deploy.ts';
export { keyPlaceOf } from './key-place.ts';
export type { KeyPlace } from './key-place.ts';
export { FabricCa } from './fabric-ca.ts';
export { chooseLoopbackPorts } from './loopback-ports.ts';
export { createNetwork } from './network-create.ts';
export type { NetworkLayout } from './network-layout.ts';
export { openNetwork, serviceOf } from './network-open.ts';
export type { OpenNetwork } from './network-open.ts';
export { broadcast, configIn, currentConfig } from './ordering-service.ts';
export { defaultNetwork, identityNames, keyLabels } from './network-spec.ts';
export type { NetworkSpec } from './network-spec.ts';
export { carryOut, developmentKeyFiles } from './orders.ts';
export { PeerClient } from './peer-client.ts';
export type { ServiceAnswer, ServiceClient } from './service-client.ts';
export { revokeKey } from './revoke-key.ts';
export { rotateKey } from './rotate-key.ts';
export type { RotatedKey } from './rotate-key.ts';
export { rotateManagerTls } from './rotate-tls.ts';
export type { RevokedKey } from './revoke-key.ts';
export { ZoneProcesses } from './zone-processes.ts';
export { wrapKey } from './wrap-key.ts';
