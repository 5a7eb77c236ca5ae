import { Fault, limits } from '#base';
import type { Clock } from '#base';
import { buildCsr } from '#crypto';
import {
  CertifyKeyCall,
  EndorseCall,
  RetireKeyAnswer,
  RetireKeyCall,
  SignBlockCall,
  SignCsrCall,
  SignEnvelopeCall,
  SignerAnswer,
  SignerDescription,
  signerMethods,
} from '#formats';
import type { SignatureKind } from '#custody';
import type { SignerRole } from '#formats';
import type { BlockGuard } from './block-guard.ts';
import { checkBlock } from './check-block.ts';
import { checkEndorsement } from './check-endorsement.ts';
import { checkEnvelope } from './check-envelope.ts';
import { checkRetirement } from './check-retirement.ts';
import type { SignerConfig } from './config.ts';
import { fault } from './faults.ts';
import { exportMarks } from './guard-marks.ts';
import { witnessBlock } from './guard-witness.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeyRotations } from './key-rotations.ts';
import { describeKey, faultOfKey } from './served-keys.ts';
import type { ServedKey } from './served-keys.ts';
import type { SignOrder } from './sign-order.ts';
import type { SignatureLog } from './signature-log.ts';
import { signerReport } from './signer-report.ts';
import type { TokenSigner } from './token-signer.ts';
import type { TokenSupervisor } from './token-supervisor.ts';

export interface SignerParts {
  readonly mode: 'serving' | 'provisioning';
  readonly tokenLabel: string;
  /** Those that sign now, by the label of their version; it changes as keys do. */
  readonly keys: ReadonlyMap<string, ServedKey>;
  readonly ring: KeyRing;
  readonly rotations: KeyRotations;
  readonly signer: TokenSigner;
  readonly tokens: TokenSupervisor;
  readonly guard: BlockGuard;
  readonly signatureLog: SignatureLog;
  readonly clock: Clock;
  readonly ledger: SignerConfig['ledger'];
}

type Method = (parts: SignerParts, payload: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** What a signer host does for those who may reach its socket. Every content is checked before it is signed. */
export function answerSignerCall(
  parts: SignerParts,
  method: number,
  payload: Uint8Array,
): Uint8Array | Promise<Uint8Array> {
  const answer = methods.get(method);
  if (answer === undefined) throw fault('HSM_METHOD_UNKNOWN', { method });
  return answer(parts, payload);
}

/** What it does for those who may only know how it is. */
export function answerReportCall(parts: SignerParts, method: number): Uint8Array {
  if (method === signerMethods.describe) return describe(parts);
  if (method === signerMethods.report) return report(parts);
  throw fault('HSM_METHOD_UNKNOWN', { method });
}

const methods: ReadonlyMap<number, Method> = new Map<number, Method>([
  [signerMethods.describe, describe],
  [signerMethods.endorse, endorse],
  [signerMethods.signEnvelope, signEnvelopes],
  [signerMethods.signBlock, signBlock],
  [signerMethods.signCsr, signCsr],
  [signerMethods.report, report],
  [signerMethods.certifyKey, certifyKey],
  [signerMethods.retireKey, retireKey],
  [signerMethods.witness, witnessBlock],
  [signerMethods.guardMarks, exportMarks],
]);

function describe(parts: SignerParts): Uint8Array {
  const served = parts.ring.oldestServed();
  const keys = served.map((key) => describeKey(key, faultCodeOf(parts, key)));
  return SignerDescription.encode({ keys });
}

function report(parts: SignerParts): Uint8Array {
  return signerReport(parts, (key) => faultCodeOf(parts, key));
}

function faultCodeOf({ clock, tokens }: SignerParts, key: ServedKey): string {
  return (faultOfKey(key, clock.nowMs()) ?? tokens.downReason)?.code ?? '';
}

function endorse(parts: SignerParts, payload: Uint8Array): Promise<Uint8Array> {
  demandMode(parts, 'serving');
  const orders = eachItem(EndorseCall.decodeCanonical(payload).items, (item) => {
    const key = keyOf(parts, item.keyLabel, ['node']);
    checkEndorsement(item.proposalResponsePayload, key.mspid);
    const start = item.proposalResponsePayload;
    return { ...order(key, 'endorsement', key.identity), start };
  });
  return sign(parts, orders);
}

function signEnvelopes(parts: SignerParts, payload: Uint8Array): Promise<Uint8Array> {
  demandMode(parts, 'serving');
  const orders = eachItem(SignEnvelopeCall.decodeCanonical(payload).items, (item) => {
    const key = keyOf(parts, item.keyLabel, ['relay', 'ordering']);
    checkEnvelope(key, item.payload);
    return { ...order(key, 'envelope', item.payload), verify: true };
  });
  return sign(parts, orders);
}

async function signBlock(parts: SignerParts, payload: Uint8Array): Promise<Uint8Array> {
  demandMode(parts, 'serving');
  const call = SignBlockCall.decodeCanonical(payload);
  const key = keyOf(parts, call.keyLabel, ['ordering']);
  const { channel, number, previousHash } = call;
  if (!key.channels.has(channel)) throw fault('HSM_ROLE_DENIED', { key: key.label, channel });
  const { headerHash, content } = checkBlock(call, key.identity);
  // While the token is away nothing is signed, so nothing is put on record either.
  parts.tokens.checkUp();
  // On record first: a signature that left without one could meet its rival after a crash.
  await parts.guard.allow({ channel, number, headerHash, previousHash });
  return sign(parts, [{ ...order(key, 'block', content), verify: true }]);
}

async function signCsr(parts: SignerParts, payload: Uint8Array): Promise<Uint8Array> {
  demandMode(parts, 'provisioning');
  const { keyLabel, commonName, organization, organizationalUnits } =
    SignCsrCall.decodeCanonical(payload);
  const key = keyOf(parts, keyLabel, ['node', 'ordering', 'relay', 'attestation']);
  const subject = { commonName, organizationalUnits, ...(organization !== '' && { organization }) };
  const publicKeySpki = parts.signer.publicKeyOf(key.label).spki;
  const csr = await buildCsr({ subject, publicKeySpki }, (content) =>
    parts.signer.signOne(key.label, 'request', content),
  );
  return SignerAnswer.encode({ signatures: [csr] });
}

/** Operators ordered the version; whoever brings its certificate can bring no other key's. */
async function certifyKey(parts: SignerParts, payload: Uint8Array): Promise<Uint8Array> {
  demandMode(parts, 'serving');
  const { key, certificate } = CertifyKeyCall.decodeCanonical(payload);
  return SignerAnswer.encode({ signatures: [await parts.rotations.certify(key, certificate)] });
}

async function retireKey(parts: SignerParts, payload: Uint8Array): Promise<Uint8Array> {
  demandMode(parts, 'serving');
  const { key, receipt } = RetireKeyCall.decodeCanonical(payload);
  const check = (record: Uint8Array) => checkRetirement(receipt, record, parts.ledger);
  return RetireKeyAnswer.encode({ retired: await parts.rotations.retire(key, check) });
}

function demandMode({ mode }: SignerParts, wanted: SignerParts['mode']): void {
  if (mode !== wanted) throw fault('HSM_MODE_DENIED', { mode });
}

function keyOf(parts: SignerParts, label: string, roles: readonly SignerRole[]): ServedKey {
  const key = parts.ring.servedKey(label);
  if (!roles.includes(key.role)) throw fault('HSM_ROLE_DENIED', { key: label, role: key.role });
  const reason = faultOfKey(key, parts.clock.nowMs());
  if (reason !== undefined) throw reason;
  return key;
}

function order(key: ServedKey, kind: SignatureKind, content: Uint8Array): SignOrder {
  return { keyLabel: key.label, kind, content };
}

/** Runs over a batch; a fault says which item it is about. */
function eachItem<Item, Value>(items: readonly Item[], read: (item: Item) => Value): Value[] {
  const fits = items.length > 0 && items.length <= limits.signBatchMax;
  if (!fits) throw fault('HSM_CALL_MALFORMED', { items: items.length });
  return items.map((item, index) => {
    try {
      return read(item);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { code, kind, message, detail } = error;
      throw new Fault(code, kind, message, { ...detail, index }, error);
    }
  });
}

async function sign({ signer }: SignerParts, orders: readonly SignOrder[]): Promise<Uint8Array> {
  return SignerAnswer.encode({ signatures: await signer.sign(orders) });
}
