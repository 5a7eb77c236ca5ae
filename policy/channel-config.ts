import { BytesMemo, Fault, limits } from '#base';
import { parseCertificate } from '#crypto';
import type { SharedStart } from '#crypto';
import {
  ChannelHeader,
  ConfigEnvelope,
  Envelope,
  Payload,
  SerializedIdentity,
  headerTypes,
} from '#formats';
import type { BatchSize, Block, Config } from '#formats';
import { ApplicationPolicies } from './application-policies.ts';
import { blockSignatures } from './block-signatures.ts';
import { readChannelGroup } from './channel-groups.ts';
import type { ChannelFacts, LastingFacts } from './channel-groups.ts';
import { checkConfigNames } from './config-names.ts';
import { fault } from './faults.ts';
import type { Identity, SignedData } from './identity.ts';
import { Member } from './member.ts';
import { PolicyManager } from './policy-manager.ts';
import type { CompiledPolicy } from './signature-policy.ts';
import { takeForRight } from './signature-memo.ts';
import { memberOrNobody, validSigners } from './signers.ts';

const blockValidationPath = '/Channel/Orderer/BlockValidation';

/** Immutable view of one channel configuration: who is who, and who may do what. */
export class ChannelConfig {
  readonly channelId: string;
  readonly config: Config;
  readonly #facts: ChannelFacts;
  readonly #policies: PolicyManager;
  readonly #applicationPolicies: ApplicationPolicies;
  /** By the bytes of the identity, as text: no other key makes a lookup as cheap. */
  readonly #members = new BytesMemo<Member>(limits.identitiesCachedMax);
  readonly #certificateMembers = new BytesMemo<Member>(limits.identitiesCachedMax);

  /** @throws POLICY_CONFIG_INVALID what a stock peer would refuse. */
  static fromConfig(channelId: string, config: Config): ChannelConfig {
    try {
      return new ChannelConfig(channelId, config);
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.code === 'POLICY_CONFIG_INVALID') throw cause;
      throw fault('POLICY_CONFIG_INVALID', { reason: cause.code, ...cause.detail }, cause);
    }
  }

  /**
   * The configuration that a genesis or configuration block carries.
   *
   * @throws POLICY_CONFIG_INVALID no configuration, or one that a stock peer would refuse.
   */
  static fromBlock(block: Block): ChannelConfig {
    try {
      const { header, data } = Payload.decode(
        Envelope.decode(block.data?.data[0] ?? new Uint8Array(0)).payload,
      );
      if (header === undefined) throw fault('POLICY_CONFIG_INVALID', { reason: 'no header' });
      const { type, channelId } = ChannelHeader.decode(header.channelHeader);
      const { config } = ConfigEnvelope.decode(data);
      if (type !== headerTypes.config || config === undefined || block.data?.data.length !== 1) {
        throw fault('POLICY_CONFIG_INVALID', { reason: 'no configuration block' });
      }
      return ChannelConfig.fromConfig(channelId, config);
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.code === 'POLICY_CONFIG_INVALID') throw cause;
      throw fault('POLICY_CONFIG_INVALID', { reason: cause.code }, cause);
    }
  }

  private constructor(channelId: string, config: Config) {
    const { channelGroup } = config;
    if (channelGroup === undefined) throw fault('POLICY_CONFIG_INVALID', { reason: 'no groups' });
    checkConfigNames(channelId, channelGroup);
    this.channelId = channelId;
    this.config = config;
    this.#facts = readChannelGroup(channelGroup);
    this.#policies = new PolicyManager(channelGroup);
    this.#applicationPolicies = new ApplicationPolicies(this.#policies, this.applicationOrgs);
  }

  get sequence(): bigint {
    return this.config.sequence;
  }

  /** MSP ids of the application's organisations. */
  get applicationOrgs(): readonly string[] {
    return this.#facts.applicationOrgs;
  }

  /** "host:port" of every ordering organisation. */
  get ordererEndpoints(): readonly string[] {
    return this.#facts.ordererEndpoints;
  }

  get batchSize(): BatchSize {
    return this.#facts.batchSize;
  }

  get batchTimeoutMs(): number {
    return this.#facts.batchTimeoutMs;
  }

  /**
   * Reads an identity and checks it as Fabric's `Validate` does: certification path, revocation and
   * organisational units, at the certificate's own time. Answers are remembered.
   *
   * @param serialized msp.SerializedIdentity bytes.
   * @throws POLICY_MSP_UNKNOWN; POLICY_IDENTITY_INVALID everything else.
   */
  identity(serialized: Uint8Array): Identity {
    const member = asIdentityFault(() => this.#memberOf(serialized));
    return validMember(member);
  }

  /**
   * Finds the provider that issued a certificate, for clients that bring one without naming it; its
   * key may be of any kind.
   *
   * @param der X.509.
   * @param at the certificate and its authorities have to be in their validity period then.
   * @throws POLICY_IDENTITY_INVALID no provider issued it, or more than one, or it is not valid.
   */
  identityOfCertificate(der: Uint8Array, at: Date): Identity {
    let member = this.#certificateMembers.get(der);
    if (member === undefined) {
      member = asIdentityFault(() => this.#findMember(der));
      this.#certificateMembers.set(der, member);
    }
    const expired = member.path.find((one) => at < one.notBefore || at > one.notAfter);
    if (expired !== undefined) {
      throw fault('POLICY_IDENTITY_INVALID', {
        reason: 'outside its validity period',
        subject: expired.subject.rfc4514,
      });
    }
    return validMember(member);
  }

  /** Whether the identity made the signature: ECDSA with SHA-256, DER, low s. */
  verifySignature(
    identity: Identity,
    data: Uint8Array,
    signature: Uint8Array,
    start?: SharedStart,
  ): boolean {
    if (!(identity instanceof Member)) throw new TypeError('not an identity of a channel');
    return identity.verifies(data, signature, start);
  }

  /**
   * Saves the look at a signature that is known to be right: one that the zone's own signer host has
   * just made.
   */
  trustSignature(
    identity: Identity,
    data: Uint8Array,
    signature: Uint8Array,
    start?: SharedStart,
  ): void {
    takeForRight(identity.certificate.publicKey, data, signature, start);
  }

  /**
   * Whether the signatures satisfy a policy of the channel. A policy that does not exist says no.
   *
   * @param policyPath absolute, for example `/Channel/Application/Writers`.
   */
  evaluate(policyPath: string, signed: readonly SignedData[]): boolean {
    const policy = this.#policies.find(policyPath);
    return policy !== undefined && policy.evaluate(this.signers(signed));
  }

  /** As `evaluate`, for protos.ApplicationPolicy bytes; unreadable ones say no. */
  evaluateApplicationPolicy(applicationPolicy: Uint8Array, signed: readonly SignedData[]): boolean {
    return this.applicationPolicy(applicationPolicy).evaluate(this.signers(signed));
  }

  /**
   * Whether the block's signatures satisfy the channel's BlockValidation policy. Whether header and
   * data belong together is not looked at.
   *
   * @see Fabric protoutil/blockutils.go, BlockSignatureVerifier.
   */
  verifyBlockSignature(block: Block): boolean {
    const signed = blockSignatures(block);
    return signed !== undefined && this.evaluate(blockValidationPath, signed);
  }

  /**
   * Whether signatures by these identities would satisfy a policy: to be asked before something
   * hangs on it.
   *
   * @param identities msp.SerializedIdentity bytes; those that are not valid count for nothing.
   */
  couldSatisfy(policyPath: string, identities: readonly Uint8Array[]): boolean {
    const members = identities
      .map((one) => this.findMember(one))
      .filter((one) => one !== undefined);
    return this.#policies.find(policyPath)?.evaluate(members) ?? false;
  }

  /** @internal */
  get lasting(): LastingFacts {
    return this.#facts.lasting;
  }

  /** @internal The policy that a modification policy of an element of the group names. */
  modificationPolicy(group: readonly string[], name: string): CompiledPolicy | undefined {
    return this.#policies.findFrom(group, name);
  }

  /** As `identity`, without saying why it is not valid. */
  findMember(serialized: Uint8Array): Member | undefined {
    const member = memberOrNobody(serialized, (bytes) => this.#memberOf(bytes));
    return member?.failure === undefined ? member : undefined;
  }

  /** @internal The signers whose signatures are right, checked once for any number of policies. */
  signers(signed: readonly SignedData[]): readonly Member[] {
    return validSigners(signed, (serialized) => this.#memberOf(serialized));
  }

  /** @internal */
  applicationPolicy(bytes: Uint8Array): CompiledPolicy {
    return this.#applicationPolicies.compiled(bytes);
  }

  /** @internal protos.ApplicationPolicy bytes that govern `_lifecycle` itself. */
  get lifecyclePolicy(): Uint8Array {
    return this.#applicationPolicies.lifecycle;
  }

  #memberOf(serialized: Uint8Array): Member {
    const known = this.#members.get(serialized);
    if (known !== undefined) return known;
    const { mspid } = SerializedIdentity.decode(serialized);
    const msp = this.#facts.msps.get(mspid);
    if (msp === undefined) throw fault('POLICY_MSP_UNKNOWN', { mspid });
    const member = msp.memberOf(serialized);
    this.#members.set(serialized, member);
    return member;
  }

  #findMember(der: Uint8Array): Member {
    const certificate = parseCertificate(der);
    const found: Member[] = [];
    let refusal: unknown;
    for (const msp of this.#facts.msps.values()) {
      try {
        found.push(msp.memberOfCertificate(certificate));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        refusal = error;
      }
    }
    const [member, ...others] = found;
    if (member !== undefined && others.length === 0) return member;
    // Organisations that share a root cannot be told apart by a certificate alone.
    const reason = member === undefined ? 'issued by no organisation' : 'issued by several';
    throw fault('POLICY_IDENTITY_INVALID', { reason }, refusal);
  }
}

function validMember(member: Member): Member {
  const { failure, subjectId } = member;
  if (failure === undefined) return member;
  throw fault('POLICY_IDENTITY_INVALID', { reason: failure, subjectId });
}

/** Whatever is wrong with the bytes of an identity, the identity is what is invalid. */
function asIdentityFault(read: () => Member): Member {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code.startsWith('POLICY_')) throw cause;
    throw fault('POLICY_IDENTITY_INVALID', { reason: cause.code }, cause);
  }
}
