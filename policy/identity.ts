import type { Certificate, SharedStart } from '#crypto';
import type { MspPrincipal } from '#formats';

/** Someone a membership provider of the channel vouches for. */
export interface Identity {
  readonly mspid: string;
  readonly certificate: Certificate;
  /** msp.SerializedIdentity bytes, as they came or, for a bare certificate, as Go would write them. */
  readonly serialized: Uint8Array;
  /** `${mspid}::${RFC 4514 subject}`: what contracts know a client by. */
  readonly subjectId: string;
  /** By the certificate's organisational unit; `admin` also by the provider's list. */
  readonly roles: Readonly<Record<'client' | 'peer' | 'admin' | 'orderer', boolean>>;
}

/** One signature, not yet checked. */
export interface SignedData {
  /** msp.SerializedIdentity bytes. */
  readonly identity: Uint8Array;
  /** What was signed, or what of it follows the start. */
  readonly data: Uint8Array;
  readonly start?: SharedStart;
  /** DER. */
  readonly signature: Uint8Array;
}

/** What a policy asks of a signer. */
export interface PolicyIdentity {
  satisfies(principal: MspPrincipal): boolean;
}
