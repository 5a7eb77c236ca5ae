import { declareFaults } from '#base';

/** Makes the faults of manager/; see docs/ERRORS.md. */
export const fault = declareFaults({
  MANAGER_QUEUE_FULL: ['busy', 'Too many requests are waiting.'],

  // Endorsement.
  MANAGER_ENDORSERS_UNREACHABLE: [
    'busy',
    'The endorsers in reach cannot satisfy the endorsement policy.',
  ],
  MANAGER_ENDORSEMENT_MISSING: ['broken', 'An endorser left out an endorsement it was asked for.'],
  MANAGER_ENDORSEMENT_BAD: ['broken', 'An endorsement does not verify.'],
  MANAGER_ENDORSEMENT_DIVERGES: ['broken', 'Endorsers came to different results.'],
  MANAGER_ENDORSEMENT_FOREIGN: ['broken', 'An endorsement is of another proposal.'],
  MANAGER_ROUTING_INVALID: [
    'malformed',
    'The preset order of endorsers is missing, or names one that is not configured.',
  ],
  MANAGER_BUNDLE_CONFLICTING: ['conflict', 'No valid transaction could be made of the request.'],
  MANAGER_WITNESS_INVALID: [
    'malformed',
    'A peer to be asked for blocks is reached without TLS, or its authorities cannot be read.',
  ],
  MANAGER_WITNESSES_SILENT: ['busy', 'Too few peers say what their newest block is.'],
  MANAGER_LEDGER_BEHIND: ['fatal', 'A peer has a block of this zone that the ledger lacks.'],
  MANAGER_KEY_MISSING: ['malformed', 'The signer host of the zone lacks a configured key.'],
  MANAGER_STOPPING: ['busy', 'The service is stopping.'],
  MANAGER_OUTCOME_UNKNOWN: ['busy', 'The service stopped before the outcome was known; ask again.'],

  // Clients' own transactions.
  MANAGER_ENVELOPE_MALFORMED: ['malformed', 'The envelope is no transaction in canonical form.'],
  MANAGER_ENVELOPE_HARMFUL: ['malformed', 'The transaction has content that Fabric peers stop at.'],
  MANAGER_ENVELOPE_INVALID: ['malformed', 'No peer would take the transaction for a valid one.'],
  MANAGER_ENVELOPE_FORGED: [
    'denied',
    'The creator may not write to the channel, or the signature is not its own.',
  ],

  // Admission.
  MANAGER_CHANNEL_UNKNOWN: ['absent', 'The channel is not served here.'],
  MANAGER_CLIENT_UNKNOWN: ['unauthenticated', 'The client is not on the whitelist.'],
  MANAGER_CLIENT_REVOKED: ['unauthenticated', 'The client was struck off the whitelist.'],
  MANAGER_CERTIFICATE_UNTRUSTED: [
    'unauthenticated',
    'The client certificate is not a valid one of an organisation of the channel.',
  ],
  MANAGER_ALGORITHM_MISMATCH: [
    'unauthenticated',
    'The signature algorithm does not belong to the kind of key in the client certificate.',
  ],
  MANAGER_GRANT_MISSING: ['denied', 'The client may not call this function on this channel.'],
  MANAGER_CONTRACT_UNKNOWN: ['absent', 'The contract is not deployed on the channel.'],
  MANAGER_REQUEST_EXPIRED: ['unauthenticated', 'The request has expired.'],
  MANAGER_REQUEST_EARLY: ['unauthenticated', 'The request is dated in the future.'],
  MANAGER_SIGNATURE_HIGH: ['malformed', 'The signature has a high s, which is forbidden here.'],
  MANAGER_REQUEST_REPLAYED: ['conflict', 'The request was executed before.'],
  MANAGER_REQUEST_PENDING: ['conflict', 'The request is being executed.'],

  // Whitelist.
  MANAGER_REGISTRY_UNREADABLE: ['malformed', 'The client registry cannot be read.'],
  MANAGER_REGISTRY_INVALID: ['malformed', 'The client registry does not fit its schema.'],
  MANAGER_REGISTRY_LOCKED: ['busy', 'Another change of the client registry is under way.'],

  // HTTP.
  MANAGER_LISTEN_REFUSED: ['busy', 'The system does not let the service listen there.'],
  MANAGER_LISTEN_INSECURE: ['malformed', 'Without TLS the service listens on loopback only.'],
  MANAGER_ROUTE_UNKNOWN: ['absent', 'There is no such resource.'],
  MANAGER_CALL_INVALID: ['malformed', 'The call does not fit the interface description.'],
  MANAGER_CALL_TOO_LARGE: ['malformed', 'The call is larger than is allowed.'],
  MANAGER_MEDIA_TYPE_UNKNOWN: ['malformed', 'The media type of the call is not taken here.'],
  MANAGER_CALLS_FULL: ['busy', 'Too many calls are being answered.'],
  MANAGER_LEDGER_INCONSISTENT: ['broken', 'The ledger does not hold what its index says it holds.'],
  MANAGER_CALL_FAILED: ['broken', 'The call failed inside.'],
  MANAGER_REQUEST_ABSENT: ['absent', 'No request of this id is known.'],
  MANAGER_BLOCK_ABSENT: ['absent', 'There is no block of this number yet.'],
  MANAGER_TRANSACTION_ABSENT: ['absent', 'No transaction of this id is known.'],

  // Deliver.
  MANAGER_STREAMS_FULL: ['busy', 'Too many streams are open.'],
  MANAGER_STREAM_SILENT: ['busy', 'The stream was closed because nothing was asked on it.'],
  MANAGER_STREAM_STALLED: ['busy', 'The stream was closed because its client takes no blocks.'],
  MANAGER_SEEK_INVALID: ['malformed', 'The request for blocks is malformed.'],
  MANAGER_READER_DENIED: ['denied', 'The identity may not read the channel.'],

  // Contract lifecycle.
  MANAGER_APPROVALS_UNMADE: ['busy', 'There is no place for approvals on the channel yet.'],
  MANAGER_PACKAGE_KNOWN: ['conflict', 'The package is installed already.'],
  MANAGER_PACKAGE_ABSENT: ['absent', 'No such package is installed.'],
  MANAGER_PACKAGES_FULL: ['busy', 'The organisation has installed too many packages.'],
  MANAGER_PACKAGES_UNWRITABLE: ['broken', 'A package could not be written to disk.'],
});
