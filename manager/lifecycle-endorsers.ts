import { Fault } from '#base';
import {
  ApplicationPolicy,
  SignaturePolicyEnvelope,
  agreementOn,
  lifecycleNamespace,
  parseLifecycleOperation,
} from '#formats';
import type { LifecycleOperation } from '#formats';
import type { Ledger } from '#ledger';
import { lifecycleFacts, parseApplicationPolicyText } from '#policy';
import type { ChannelConfig, NodeIdentity } from '#policy';
import type { NodePlans } from './node-plans.ts';
import type { AdmittedRequest } from './pipeline-types.ts';

export interface LifecycleEndorsersParts {
  ledger: Pick<Ledger, 'get'>;
  channelConfig: () => ChannelConfig;
  plans: Pick<NodePlans, 'ofPolicy'>;
  /** Public identities of all nodes of the zone, by node name. */
  nodes: () => ReadonlyMap<string, NodeIdentity>;
  /** protos.ApplicationPolicy bytes that govern definitions. */
  lifecyclePolicy: Uint8Array;
}

/**
 * Who may endorse a request of the lifecycle: an approval its own organisation alone, a commit those
 * who have approved it. The endorsers hold to this by themselves; here it is only found out whom it is
 * worth asking.
 */
export class LifecycleEndorsers {
  readonly #parts: LifecycleEndorsersParts;

  constructor(parts: LifecycleEndorsersParts) {
    this.#parts = parts;
  }

  /**
   * @param admitted absent for the making of approvals keys.
   * @param at time of the request, for the client's certificate.
   * @returns sets of node names among the reachable ones, smallest first.
   */
  alternatives(
    admitted: AdmittedRequest | undefined,
    at: Date,
    reachable: ReadonlySet<string>,
  ): string[][] {
    const { plans, lifecyclePolicy } = this.#parts;
    const everybody = () => plans.ofPolicy(lifecyclePolicy, reachable);
    const operation = admitted && operationOf(admitted);
    if (admitted === undefined || operation === undefined) return everybody();
    if (operation.kind === 'approve') {
      return plans.ofPolicy(this.#keyPolicy(admitted, at), reachable);
    }
    const agreeing = this.#agreeing(operation);
    const able = [...reachable].filter((name) => agreeing.has(this.#organisationOf(name)));
    const sets = plans.ofPolicy(lifecyclePolicy, new Set(able));
    // Too few have approved: whoever is asked then says what is wrong.
    return sets.length > 0 ? sets : everybody();
  }

  #keyPolicy({ certificate }: AdmittedRequest, at: Date): Uint8Array {
    const config = this.#parts.channelConfig();
    const { mspid } = config.identityOfCertificate(certificate, at);
    const own = lifecycleFacts(config).organisations.find((one) => one.mspid === mspid);
    if (own === undefined) return this.#parts.lifecyclePolicy;
    const signaturePolicy = SignaturePolicyEnvelope.decode(own.keyPolicy);
    return ApplicationPolicy.encode({ signaturePolicy });
  }

  #agreeing(operation: LifecycleOperation): ReadonlySet<string> {
    const { ledger, channelConfig } = this.#parts;
    const get = (key: string) => ledger.get(lifecycleNamespace, key)?.value;
    const applicationPolicy = policyOf(operation.policyText);
    if (applicationPolicy === undefined) return new Set();
    const definition = { ...operation, applicationPolicy };
    return agreementOn(definition, channelConfig().applicationOrgs, get).agreeing;
  }

  #organisationOf(nodeName: string): string {
    return this.#parts.nodes().get(nodeName)?.identity.mspid ?? '';
  }
}

/** Undefined for what the endorser will refuse. */
function operationOf({ request }: AdmittedRequest): LifecycleOperation | undefined {
  const [operation] = request.payload.operations;
  return operation && readOr(() => parseLifecycleOperation(operation));
}

function policyOf(text: string): Uint8Array | undefined {
  return readOr(() => parseApplicationPolicyText(text));
}

function readOr<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
