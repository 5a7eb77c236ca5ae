import { emptyBytes } from '#base';
import {
  ChannelHeader,
  ConfigEnvelope,
  Envelope,
  Payload,
  SignatureHeader,
  blockMetadata,
  dataHash,
  headerTypes,
  signaturesValue,
} from '#formats';
import type { Block } from '#formats';
import { ChannelConfig } from './channel-config.ts';
import { channelGroupOf } from './genesis-groups.ts';
import { transactionIdOf } from './transaction-header.ts';

/** An organisation of a new channel. All certificates are PEM, one each. */
export interface GenesisOrganization {
  /** Name of its configuration group: letters, digits, '.' and '-'. */
  readonly name: string;
  readonly mspid: string;
  /** Authorities of its identities. Roles are told apart by NodeOUs: client, peer, admin, orderer. */
  readonly rootCertificates: readonly string[];
  readonly intermediateCertificates?: readonly string[];
  /** Authorities of its TLS certificates. */
  readonly tlsRootCertificates: readonly string[];
  readonly tlsIntermediateCertificates?: readonly string[];
}

/** All that a genesis block says; the same specification makes the same bytes. */
export interface GenesisSpec {
  readonly channelId: string;
  readonly time: Date;
  /** 24 random bytes. */
  readonly nonce: Uint8Array;
  /** The organisation that makes blocks: stock peers connect to its endpoints. */
  readonly zone: GenesisOrganization & {
    /** "host:port" of every manager; its TLS certificate must name the host. */
    readonly endpoints: readonly string[];
  };
  /** The one consenter that stock tools expect of `etcdraft`: the manager. Nobody dials it. */
  readonly consenter: { readonly host: string; readonly port: number; tlsCertificate: string };
  readonly organizations: readonly GenesisOrganization[];
  /** Who may sign blocks, as policy text; `OR('<zone mspid>.orderer')` when absent. */
  readonly blockValidation?: string;
}

/**
 * Makes a channel's first block, one that unmodified Fabric peers of 2.5 and 3.x join: capabilities
 * V2_0, V2_0 and V2_5, consensus type `etcdraft`, the policies of Fabric's sample configuration.
 *
 * @throws POLICY_CONFIG_INVALID the specification makes a channel that a stock peer would refuse;
 *   POLICY_TEXT_INVALID `blockValidation` is no policy.
 * @see Fabric internal/configtxgen/encoder/encoder.go, common/genesis/genesis.go.
 */
export function buildGenesisBlock(spec: GenesisSpec): Block {
  const data = [genesisEnvelope(spec)];
  const facts = { lastConfigIndex: 0n };
  const block: Block = {
    header: { number: 0n, previousHash: emptyBytes, dataHash: dataHash(data) },
    data: { data },
    // Nobody signs a genesis block: whoever joins chooses it by its bytes.
    metadata: { metadata: blockMetadata(facts, signaturesValue(facts), []) },
  };
  ChannelConfig.fromBlock(block);
  return block;
}

function genesisEnvelope(spec: GenesisSpec): Uint8Array {
  const signatureHeader = { creator: emptyBytes, nonce: spec.nonce };
  const milliseconds = spec.time.getTime();
  const channelHeader = ChannelHeader.encode({
    type: headerTypes.config,
    version: 1,
    timestamp: {
      seconds: BigInt(Math.floor(milliseconds / 1_000)),
      nanos: (milliseconds % 1_000) * 1_000_000,
    },
    channelId: spec.channelId,
    txId: transactionIdOf(signatureHeader),
  });
  const config = { sequence: 0n, channelGroup: channelGroupOf(spec) };
  const payload = Payload.encode({
    header: { channelHeader, signatureHeader: SignatureHeader.encode(signatureHeader) },
    data: ConfigEnvelope.encode({ config }),
  });
  return Envelope.encode({ payload });
}
