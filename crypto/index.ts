export type { EcdsaCurve } from './curves.ts';
export { derInteger, derOctetString, derSequence } from './der-writer.ts';
export { SharedStart, sha256, sm3 } from './digests.ts';
export { derToRaw, isLowS, normaliseEcdsa, rawToDer, toLowS } from './ecdsa-signature.ts';
export { verifyFabric, verifyFabricAsStockPeer } from './fabric-signature.ts';
export { isJoseAlgorithm, isLowSRaw, joseKeyKind, verifyJose } from './jose.ts';
export type { JoseAlgorithm } from './jose.ts';
export { importPoint, importPublicKey, publicKeyBits } from './public-key.ts';
export type { KeyKind, PublicKey } from './public-key.ts';
export { sm2PublicKeyOf, sm2Sign } from './sm2.ts';
export { sm2DefaultUserId } from './sm2-key.ts';
export { ecSpki } from './spki.ts';
export { importTokenPoint } from './token-point.ts';
export { parseCertificate, serialHexOf } from './certificate.ts';
export type { Certificate } from './certificate.ts';
export type { CertificateExtensions, KeyUsage, SubjectAltNames } from './certificate-extensions.ts';
export { verifyChain, verifyIssued } from './chain.ts';
export type { ChainOptions } from './chain.ts';
export type { Extension } from './extensions.ts';
export type { Name, SubjectFields } from './name.ts';
export { certificatePem, parsePem, parsePemAll, pemBlock, pemBlocks } from './pem.ts';
export { verifySigned } from './signed-object.ts';
export type { SignedObject, TbsSigner } from './signed-object.ts';
export { buildCertificate, subjectKeyIdOf } from './certificate-builder.ts';
export type { CertificateFields } from './certificate-builder.ts';
export { parseCrl, verifyCrl } from './crl.ts';
export type { Crl } from './crl.ts';
export { buildCrl } from './crl-builder.ts';
export type { CrlFields } from './crl-builder.ts';
export { buildCsr, parseCsr } from './csr.ts';
export type { CertificateRequest } from './csr.ts';
export { oids } from './oids.ts';
export {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from './merkle-proof.ts';
export {
  appendLeaves,
  emptyTree,
  leafHash,
  nodeHash,
  rangeHash,
  rootOfEmpty,
  treeRoot,
  treeStateAt,
} from './merkle-tree.ts';
export type { GetNode, TreeNode, TreeState } from './merkle-tree.ts';
