/** A receipt with real hashes, proof, certificate and block signature. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { utf8 } from '#base';
import {
  appendLeaves,
  buildCertificate,
  certificatePem,
  emptyTree,
  inclusionProof,
  leafHash,
  normaliseEcdsa,
  sha256,
} from '#crypto';
import {
  EvidenceLeaf,
  Metadata,
  RequestResult,
  SerializedIdentity,
  SignatureHeader,
  blockSignatureInput,
  encodeRequest,
  parseRequest,
  signaturesValue,
} from '#formats';
import type { Receipt } from '#formats';
import { goodPayload, jwsOf } from './request-sample.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ordererCertificate = await buildCertificate(
  {
    subject: { commonName: 'orderer', organizationalUnits: ['orderer'] },
    issuer: 'self',
    serial: 1n,
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2036-01-01'),
    publicKeySpki: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })),
    keyUsages: ['digitalSignature'],
  },
  (tbs) => Uint8Array.from(sign('sha256', tbs, privateKey)),
);

export const ordererIdentity = SerializedIdentity.encode({
  mspid: 'ZoneMSP',
  idBytes: utf8(certificatePem(ordererCertificate)),
});

/** Signs a block's metadata value as the zone's ordering key does. */
export function signedMetadata(
  value: Uint8Array,
  block: Receipt['block'],
  creator = ordererIdentity,
): Uint8Array {
  const signatureHeader = SignatureHeader.encode({ creator, nonce: new Uint8Array(24).fill(1) });
  const input = blockSignatureInput(value, signatureHeader, block);
  const raw = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const signature = normaliseEcdsa(raw, 'P-256');
  const entry = { signatureHeader, signature, identifierHeader: new Uint8Array(0) };
  return Metadata.encode({ value, signatures: [entry] });
}

/** A receipt for the middle request of five; parts can be replaced before the block is signed. */
export function makeReceipt(
  change: {
    payload?: Partial<typeof goodPayload>;
    leaf?: Partial<EvidenceLeaf>;
    result?: Partial<RequestResult>;
  } = {},
): Receipt {
  const payload = { ...goodPayload, ...change.payload };
  const request = jwsOf(encodeRequest({ alg: 'ES256', kid: 'clerk-7' }, payload));
  const { requestIdBytes, bytes } = parseRequest(request);
  const result = RequestResult.encode({
    requestId: requestIdBytes,
    status: 200,
    payloads: [utf8('deed 7')],
    ...change.result,
  });
  const leaf: EvidenceLeaf = {
    requestHash: sha256(bytes),
    resultHash: sha256(result),
    blockNumber: 12n,
    txId: 'ab'.repeat(32),
    requestIndex: 2,
    validationCode: 0,
    ...change.leaf,
  };
  const others = ['a', 'b', 'c', 'd'].map((name) => leafHash(utf8(name)));
  const leaves = others.toSpliced(2, 0, leafHash(EvidenceLeaf.encode(leaf)));
  const { newNodes, root } = appendLeaves(emptyTree, leaves);
  const hashes = new Map(newNodes.map(({ level, index, hash }) => [`${level}/${index}`, hash]));
  const proof = inclusionProof(2, leaves.length, (level, index) => {
    const hash = hashes.get(`${level}/${index}`);
    if (hash === undefined) throw new RangeError('node is not stored');
    return hash;
  });
  const treeSize = BigInt(leaves.length);
  const block = {
    number: 12n,
    previousHash: sha256(utf8('before')),
    dataHash: sha256(utf8('data')),
  };
  const value = signaturesValue({
    lastConfigIndex: 0n,
    consenterMetadata: { treeSize, rootHash: root },
  });
  return {
    channel: payload.channel,
    request,
    result,
    leaf,
    leafIndex: 2n,
    treeSize,
    inclusionProof: proof,
    block,
    signatures: signedMetadata(value, block),
    certificates: [ordererCertificate],
  };
}
