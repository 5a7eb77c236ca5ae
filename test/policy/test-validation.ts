import { utf8 } from '#base';
import { derToRaw, rawToDer } from '#crypto';
import { validationCodes } from '#formats';
import type { ValidationCodeName } from '#formats';
import { ChannelConfig, buildGenesisBlock, validateTransaction } from '#policy';
import type { TransactionLookups } from '#policy';
import { testNetwork } from './test-channel.ts';
import { lookupsOf, transactionOf } from './test-transaction.ts';
import type { Signer, TransactionParts } from './test-transaction.ts';

/** Name of the code, what is wrong, and the parts that make it wrong. */
export type Defect = readonly [ValidationCodeName, string, Partial<TransactionParts>];

export const { spec, orgs, zone } = await testNetwork(3);
export const config = ChannelConfig.fromBlock(buildGenesisBlock(spec));
export const endorsers: readonly Signer[] = orgs.map(({ mspid, peer }) => ({
  mspid,
  identity: peer,
}));
export const creator: Signer = { mspid: zone.mspid, identity: zone.client };
export const twoOfThree = "OutOf(2, 'Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')";
export const lookups = lookupsOf({ notary: twoOfThree });
/** A transaction that is valid on the channel. */
export const good: TransactionParts = { creator, endorsers };
/** Bytes that are no protobuf message. */
export const garbage = utf8('\u0007garbage');

/** The name of the code that the good transaction gets with other parts. */
export function codeOf(
  parts: Partial<TransactionParts>,
  ledger: TransactionLookups = lookups,
): string {
  const { code } = validateTransaction(config, transactionOf({ ...good, ...parts }), ledger);
  return Object.entries(validationCodes).find(([, number]) => number === code)![0];
}

/** The other signature of the same data: what a token may answer, and Fabric refuses. */
export function mirrored(signature: Uint8Array): Uint8Array {
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const raw = derToRaw(signature, 32);
  const s = order - BigInt(`0x${Buffer.from(raw.subarray(32)).toString('hex')}`);
  raw.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), 32);
  return rawToDer(raw);
}
