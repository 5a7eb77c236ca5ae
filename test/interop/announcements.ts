import { utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  BundleEvents,
  BundleResult,
  ChaincodeEvent,
  ChaincodeInvocationSpec,
  ChaincodeProposalPayload,
  ChaincodeSpec,
  bundleEventName,
  bundleFunction,
} from '#formats';
import { txIdOf } from '../policy/test-transaction.ts';
import type { TransactionParts } from '../policy/test-transaction.ts';
import { creator } from '../policy/test-validation.ts';
import type { HostileChain } from './hostile-chain.ts';

interface Announcement {
  txId: string;
  envelope: Uint8Array;
}

/** Transactions with events, each with an id that is known before. */
export class Announcements {
  readonly #chain: HostileChain;
  #nonces = 0;

  constructor(chain: HostileChain) {
    this.#chain = chain;
  }

  /** One whose event has what is given. */
  announcing(event: Partial<ChaincodeEvent>, parts: Partial<TransactionParts> = {}): Announcement {
    this.#nonces += 1;
    const nonce = sha256(utf8(`announcement ${this.#nonces}`)).slice(0, 24);
    const txId = txIdOf(creator, nonce);
    const contract = parts.contract ?? 'notary';
    const events = ChaincodeEvent.encode({ chaincodeId: contract, txId, ...event });
    const envelope = this.#chain.transaction({
      ...parts,
      signatureHeader: { nonce },
      chaincodeAction: { events, ...parts.chaincodeAction },
    });
    return { txId, envelope };
  }

  named(eventName: string, parts?: Partial<TransactionParts>): Announcement {
    return this.announcing({ eventName, payload: utf8(`payload of ${eventName}`) }, parts);
  }

  /** A bundle of one request that announces all of these. */
  bundle(...names: string[]): Announcement {
    const requestId = sha256(utf8(names.join()));
    const result = { requestId, status: 200, message: '', payloads: [], code: '' };
    const payload = BundleResult.encode({ results: [result] });
    const events = names.map((name) => ({ requestIndex: 0, name, payload: utf8(`of ${name}`) }));
    const input = ChaincodeInvocationSpec.encode({
      chaincodeSpec: {
        ...ChaincodeSpec.initial(),
        chaincodeId: { path: '', name: 'notary', version: '' },
        input: { args: [utf8(bundleFunction), utf8('request')], decorations: [], isInit: false },
      },
    });
    return this.announcing(
      { eventName: bundleEventName, payload: BundleEvents.encode({ events }) },
      {
        proposalPayload: ChaincodeProposalPayload.encode({ input }),
        chaincodeAction: { response: { status: 200, message: '', payload } },
      },
    );
  }
}
