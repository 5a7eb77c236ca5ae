import { declareFaults } from '#base';

/** Makes the faults of policy/; see docs/ERRORS.md. */
export const fault = declareFaults({
  POLICY_CONFIG_INVALID: [
    'malformed',
    'The channel configuration is one that a Fabric peer would refuse.',
  ],
  POLICY_ENVELOPE_TOO_LARGE: ['malformed', 'The envelope is larger than the channel allows.'],
  POLICY_IDENTITY_INVALID: [
    'unauthenticated',
    'The identity is not valid in the membership provider it names.',
  ],
  POLICY_MSP_UNKNOWN: ['unauthenticated', 'The channel has no such membership provider.'],
  POLICY_CONFIG_UNFOUNDED: [
    'malformed',
    'The configuration does not follow from its update; a Fabric peer would stop at this block.',
  ],
  POLICY_CONFIG_ACCOMPANIED: [
    'malformed',
    'A configuration must stand alone in its block; Fabric peers would apply it beside others.',
  ],
  POLICY_UPDATE_MALFORMED: ['malformed', 'The envelope is no configuration update.'],
  POLICY_UPDATE_FIELD_UNKNOWN: [
    'malformed',
    'The update has fields that Fabric peers do not all read in the same way.',
  ],
  POLICY_UPDATE_CHANNEL_OTHER: ['malformed', 'The update is for another channel.'],
  POLICY_UPDATE_SENDER_EXPIRED: ['denied', "The sender's certificate has expired."],
  POLICY_UPDATE_SENDER_DENIED: ['denied', 'The sender may not write to the channel.'],
  POLICY_UPDATE_ORDERER_DENIED: [
    'denied',
    'The ordering key may not write to the channel, or could not sign blocks after the update.',
  ],
  POLICY_UPDATE_NAME_INVALID: ['malformed', 'An element of the update has no valid name.'],
  POLICY_UPDATE_OUTDATED: ['conflict', 'The update has read what is no longer so.'],
  POLICY_UPDATE_EMPTY: ['malformed', 'The update changes nothing.'],
  POLICY_UPDATE_MOD_POLICY_INVALID: [
    'malformed',
    'A changed element does not say who may change it next.',
  ],
  POLICY_UPDATE_VERSION_INVALID: [
    'conflict',
    'A changed element is not in the version that would be its next.',
  ],
  POLICY_UPDATE_DENIED: [
    'denied',
    'The signatures of the update do not satisfy the policy for changing an element.',
  ],
  POLICY_UPDATE_FORBIDDEN: ['denied', 'The channel does not allow this change to anybody.'],
  POLICY_TEXT_INVALID: ['malformed', 'The text is not a signature policy.'],
  POLICY_PLUGIN_UNKNOWN: [
    'broken',
    'The contract asks for a validation plugin that no stock peer has.',
  ],
  POLICY_KEY_POLICY_INVALID: ['broken', 'The endorsement policy of a key cannot be read.'],
});
