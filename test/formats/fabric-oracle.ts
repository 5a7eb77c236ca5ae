/** Hyperledger's own generated messages, found by the names of our tables. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Message } from '#formats';

export interface OracleMessage {
  serializeBinary(): Uint8Array;
  [accessor: string]: unknown;
}

export interface OracleClass {
  new (): OracleMessage;
  deserializeBinary(bytes: Uint8Array): OracleMessage;
  /** Numbers of the fields of which at most one is set. */
  oneofGroups_?: number[][];
  [nested: string]: unknown;
}

const require = createRequire(import.meta.url);
const library = dirname(require.resolve('@hyperledger/fabric-protos'));

/** The generated files of each protobuf package. */
const files: Record<string, string[]> = {
  common: [
    'common/common',
    'common/configtx',
    'common/configuration',
    'common/ledger',
    'common/policies',
    'msp/msp_principal',
  ],
  gateway: ['gateway/gateway'],
  etcdraft: ['orderer/etcdraft/configuration'],
  kvrwset: ['ledger/rwset/kvrwset/kv_rwset'],
  lifecycle: [
    'peer/lifecycle/db',
    'peer/lifecycle/chaincode_definition',
    'peer/lifecycle/lifecycle',
  ],
  msp: ['msp/identities', 'msp/msp_config'],
  orderer: ['orderer/ab', 'orderer/configuration'],
  protos: [
    'peer/chaincode',
    'peer/chaincode_event',
    'peer/configuration',
    'peer/events',
    'peer/policy',
    'peer/query',
    'peer/proposal',
    'peer/proposal_response',
    'peer/transaction',
  ],
  rwset: ['ledger/rwset/rwset'],
};

/** Google's own messages, by their full names. */
const googleFiles: Record<string, string> = {
  'google.protobuf.Any': 'google-protobuf/google/protobuf/any_pb.js',
  'google.protobuf.Timestamp': 'google-protobuf/google/protobuf/timestamp_pb.js',
  'google.rpc.Status': join(library, 'google/rpc/status_pb.js'),
};

/** @returns undefined for a package that is not Hyperledger's to define, such as our own. */
export function oracleOf(message: Message<unknown>): OracleClass | undefined {
  const google = googleFiles[message.name];
  if (google !== undefined) {
    return classIn(require(google), [message.name.split('.').at(-1) ?? '']);
  }
  const [pack = '', ...path] = message.name.split('.');
  const paths = files[pack];
  if (paths === undefined) return undefined;
  for (const file of paths) {
    const found = classIn(require(join(library, `${file}_pb.js`)), path);
    if (found !== undefined) return found;
  }
  throw new Error(`Hyperledger has no message ${message.name}`);
}

function classIn(module: unknown, path: readonly string[]): OracleClass | undefined {
  let found = module;
  for (const name of path) found = (found as Record<string, unknown> | undefined)?.[name];
  return found as OracleClass | undefined;
}
