import { Fault, equalBytes, toHex } from '#base';
import { certificatePem, verifyJose } from '#crypto';
import { Metadata, checkReceipt, parseReceipt, validationCodeName } from '#formats';
import type { Block, ParsedRequest, Receipt, ReceiptFacts } from '#formats';
import { ChannelConfig } from '#policy';
import type { Identity } from '#policy';
import { fault } from './faults.ts';
import { knownAuthorities } from './known-authorities.ts';

/** What the reader of a receipt believes without it: the channel's first block, or its configuration. */
export type ReceiptTrust = { genesis: Block } | { channelConfig: ChannelConfig };

/** What a receipt proves, ready to be shown as JSON. Hashes are lower-case hex. */
export interface VerifiedReceipt {
  requestId: string;
  channel: string;
  /** executed, failed alone, or invalidated with its whole transaction. */
  outcome: ReceiptFacts['outcome'];
  validation: { code: number; name: string };
  result: { status: number; message: string; code: string };
  contract: string;
  /** Seconds since the Unix epoch, as the client signed it. */
  issuedAt: number;
  transaction: { txId: string; block: bigint; requestIndex: number };
  /** The block whose signature proves it: the transaction's own, or a later one. */
  sealedBy: { block: bigint; headerHash: string; signers: string[] };
  client: VerifiedClient;
}

/** Who asked. With a key id alone the receipt says which key, and the signature on it is open. */
export type VerifiedClient =
  | { signature: 'verified'; subjectId: string; certificate: string }
  | { signature: 'not verified: the receipt holds no certificate'; kid: string };

/**
 * Verifies a receipt offline. The block in it must be signed as the trusted configuration demands,
 * the request must be in the log that the signature covers, and where the client sent its
 * certificate along, its own signature must be right too.
 *
 * @param file a receipt file, JSON.
 * @throws PEER_RECEIPT_…, one code for each way in which it proves nothing; POLICY_CONFIG_INVALID
 *   when what is trusted is no configuration.
 */
export function verifyReceipt(file: Uint8Array, trust: ReceiptTrust): VerifiedReceipt {
  const config = 'genesis' in trust ? ChannelConfig.fromBlock(trust.genesis) : trust.channelConfig;
  const receipt = asReceiptFault(() => parseReceipt(file));
  const facts = asReceiptFault(() => checkReceipt(receipt));
  if (facts.channel !== config.channelId) {
    throw fault('PEER_RECEIPT_CHANNEL_OTHER', { channel: facts.channel });
  }
  checkNothingUnsigned(receipt, config);
  const signers = trustedSigners(facts, config);
  return describe(facts, signers, verifyClient(facts.request, config));
}

/** Every failure of the lower floors under the code that says what it means for the receipt. */
function asReceiptFault<Value>(check: () => Value): Value {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    const code = codeByCause[cause.code] ?? 'PEER_RECEIPT_UNREADABLE';
    throw fault(code, { reason: cause.code, ...cause.detail }, cause);
  }
}

const codeByCause: Readonly<Record<string, Parameters<typeof fault>[0]>> = {
  FORMATS_RECEIPT_REQUEST_MISMATCH: 'PEER_RECEIPT_REQUEST_MISMATCH',
  FORMATS_RECEIPT_RESULT_MISMATCH: 'PEER_RECEIPT_RESULT_MISMATCH',
  FORMATS_RECEIPT_PROOF_INVALID: 'PEER_RECEIPT_PROOF_INVALID',
  FORMATS_RECEIPT_BLOCK_MISMATCH: 'PEER_RECEIPT_BLOCK_MISMATCH',
  FORMATS_RECEIPT_SIGNER_INVALID: 'PEER_RECEIPT_SIGNER_INVALID',
  FORMATS_RECEIPT_SIGNATURE_INVALID: 'PEER_RECEIPT_SIGNATURE_INVALID',
};

/** A verified receipt has no room for bytes that somebody added: two copies of it are the same. */
function checkNothingUnsigned({ signatures, certificates }: Receipt, config: ChannelConfig): void {
  try {
    const metadata = Metadata.decodeCanonical(signatures);
    if (metadata.signatures.some(({ identifierHeader }) => identifierHeader.length > 0)) {
      throw fault('PEER_RECEIPT_SIGNATURES_ALTERED', { reason: 'identifier header' });
    }
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code.startsWith('PEER_')) throw cause;
    throw fault('PEER_RECEIPT_SIGNATURES_ALTERED', {}, cause);
  }
  if (certificates.length === 0) return;
  const known = knownAuthorities(config);
  const stranger = certificates.findIndex((der) => !known.some((one) => equalBytes(one, der)));
  if (stranger >= 0) throw fault('PEER_RECEIPT_CERTIFICATE_UNKNOWN', { index: stranger });
}

function trustedSigners({ signatures }: ReceiptFacts, config: ChannelConfig): Identity[] {
  if (!config.evaluate('/Channel/Orderer/BlockValidation', signatures)) {
    const mspids = signatures.map(({ mspid }) => mspid).join(', ');
    throw fault('PEER_RECEIPT_SIGNER_UNTRUSTED', { mspids });
  }
  return signatures.map(({ identity }) => {
    try {
      return config.identity(identity);
    } catch (cause) {
      // A signature beside those that satisfied the policy still has to be somebody's.
      throw fault('PEER_RECEIPT_SIGNER_UNTRUSTED', {}, cause);
    }
  });
}

function verifyClient(request: ParsedRequest, config: ChannelConfig): VerifiedClient {
  const { header, payload } = request;
  const certificate = header.x5c?.[0];
  if (certificate === undefined) {
    const signature = 'not verified: the receipt holds no certificate';
    return { signature, kid: header.kid ?? '' };
  }
  const identity = clientIdentity(certificate, new Date(payload.iat * 1000), config);
  if (!isSignedBy(request, identity)) {
    throw fault('PEER_RECEIPT_CLIENT_SIGNATURE_INVALID', { requestId: request.requestId });
  }
  const { subjectId } = identity;
  return { signature: 'verified', subjectId, certificate: certificatePem(certificate) };
}

function clientIdentity(certificate: Uint8Array, at: Date, config: ChannelConfig): Identity {
  try {
    return config.identityOfCertificate(certificate, at);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('PEER_RECEIPT_CLIENT_UNTRUSTED', { ...cause.detail }, cause);
  }
}

function isSignedBy({ header, signingInput, signature }: ParsedRequest, signer: Identity): boolean {
  try {
    return verifyJose(header.alg, signer.certificate.publicKey, signingInput, signature);
  } catch (cause) {
    // The key is of another kind than the algorithm in the header.
    if (cause instanceof Fault) return false;
    throw cause;
  }
}

function describe(
  facts: ReceiptFacts,
  signers: readonly Identity[],
  client: VerifiedClient,
): VerifiedReceipt {
  const { request, result, leaf, block } = facts;
  const { status, message, code } = result;
  const { validationCode } = leaf;
  return {
    requestId: request.requestId,
    channel: facts.channel,
    outcome: facts.outcome,
    validation: { code: validationCode, name: validationCodeName(validationCode) },
    result: { status, message, code },
    contract: request.payload.contract,
    issuedAt: request.payload.iat,
    transaction: { txId: leaf.txId, block: leaf.blockNumber, requestIndex: leaf.requestIndex },
    sealedBy: {
      block: block.number,
      headerHash: toHex(facts.headerHash),
      signers: signers.map(({ subjectId }) => subjectId),
    },
    client,
  };
}
