import { concatBytes, emptyBytes, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeEvent,
  ChaincodeHeaderExtension,
  ChannelHeader,
  Envelope,
  KvRwSet,
  Payload,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
  TxReadWriteSet,
  headerTypes,
  lifecycleNamespace,
} from '#formats';
import type { Layer } from './layers.ts';
import { changedLayer } from './mutation-kinds.ts';
import { serializedOf } from './people.ts';
import type { People } from './people.ts';
import type { TransactionRecipe } from './recipe.ts';

type Change = (layer: Layer, bytes: Uint8Array, index?: number, count?: number) => Uint8Array;

/** A namespace with what it reads and writes, the versions found. */
export interface NamespaceContent {
  readonly namespace: string;
  readonly content: Partial<KvRwSet>;
}

/**
 * The envelope of a recipe. Hashes, ids and signatures around a changed layer are of what was
 * changed, so that every check is reached by some.
 */
export function envelopeOf(
  recipe: TransactionRecipe,
  namespaces: readonly NamespaceContent[],
  { people, channelId }: { people: People; channelId: string },
): Uint8Array {
  const change: Change = (layer, bytes, index = 0, count = 1) =>
    changedLayer(recipe.mutations, layer, bytes, { index, count });
  const creator = people.get(recipe.creator);
  const contract = recipe.definition === undefined ? recipe.contract : lifecycleNamespace;
  const nonce = sha256(utf8(`nonce ${recipe.nonce}`)).subarray(0, 24);
  const header = headerOf({
    channelId,
    contract,
    nonce,
    signer: change('creator', serializedOf(creator)),
    change,
  });
  const proposalPayload = utf8('what was proposed');
  const prp = change(
    'proposalResponsePayload',
    ProposalResponsePayload.encode({
      proposalHash: sha256(header.channelHeader, header.signatureHeader, proposalPayload),
      extension: actionOf(contract, namespaces, change),
    }),
  );
  const actionPayload = ChaincodeActionPayload.encode({
    chaincodeProposalPayload: proposalPayload,
    action: {
      proposalResponsePayload: prp,
      endorsements: endorsementsOf(recipe.endorsers, prp, people, change),
    },
  });
  const action = {
    header: header.signatureHeader,
    payload: change('actionPayload', actionPayload),
  };
  const data = change('transaction', Transaction.encode({ actions: [action] }));
  const payload = change('payload', Payload.encode({ header, data }));
  return Envelope.encode({ payload, signature: change('signature', creator.sign(payload)) });
}

function endorsementsOf(names: readonly string[], prp: Uint8Array, people: People, change: Change) {
  return names.map((name, index) => {
    const person = people.get(name);
    const endorser = change('endorser', serializedOf(person), index, names.length);
    const made = person.sign(concatBytes(prp, endorser));
    return { endorser, signature: change('endorsement', made, index, names.length) };
  });
}

function headerOf(parts: {
  channelId: string;
  contract: string;
  nonce: Uint8Array;
  signer: Uint8Array;
  change: Change;
}) {
  const { channelId, contract, nonce, signer, change } = parts;
  const signatureHeader = change(
    'signatureHeader',
    SignatureHeader.encode({ creator: signer, nonce }),
  );
  const chaincodeId = { path: '', name: contract, version: '' };
  const channelHeader = ChannelHeader.encode({
    type: headerTypes.endorserTransaction,
    timestamp: { seconds: 1_700_000_000n, nanos: 0 },
    channelId,
    txId: toHex(sha256(nonce, signer)),
    extension: change('extension', ChaincodeHeaderExtension.encode({ chaincodeId })),
  });
  return { signatureHeader, channelHeader: change('channelHeader', channelHeader) };
}

function actionOf(
  contract: string,
  namespaces: readonly NamespaceContent[],
  change: Change,
): Uint8Array {
  const nsRwset = namespaces.map(({ namespace, content }, index) => ({
    namespace,
    rwset: change('kvRwset', KvRwSet.encode(content), index, namespaces.length),
    collectionHashedRwset: [],
  }));
  const events = ChaincodeEvent.encode({ chaincodeId: contract, eventName: 'made' });
  return change(
    'action',
    ChaincodeAction.encode({
      results: change('results', TxReadWriteSet.encode({ nsRwset })),
      events: change('events', events),
      response: { status: 200, message: '', payload: emptyBytes },
      chaincodeId: { path: '', name: contract, version: '1.0' },
    }),
  );
}
