export type { EcdsaCurve } from './curves.ts';
export { sha256, sm3 } from './digests.ts';
export { derToRaw, isLowS, normaliseEcdsa, rawToDer, toLowS } from './ecdsa-signature.ts';
export { verifyFabric } from './fabric-signature.ts';
export { isJoseAlgorithm, isLowSRaw, verifyJose } from './jose.ts';
export type { JoseAlgorithm } from './jose.ts';
export { importPoint, importPublicKey, publicKeyBits } from './public-key.ts';
export type { KeyKind, PublicKey } from './public-key.ts';
export { sm2DefaultUserId, sm2PublicKeyOf, sm2Sign } from './sm2.ts';
