import { declareFaults } from '#base';

/** Makes the faults of policy/; see docs/ERRORS.md. */
export const fault = declareFaults({
  POLICY_CONFIG_INVALID: [
    'malformed',
    'The channel configuration is one that a Fabric peer would refuse.',
  ],
  POLICY_IDENTITY_INVALID: [
    'unauthenticated',
    'The identity is not valid in the membership provider it names.',
  ],
  POLICY_MSP_UNKNOWN: ['unauthenticated', 'The channel has no such membership provider.'],
  POLICY_TEXT_INVALID: ['malformed', 'The text is not a signature policy.'],
  POLICY_PLUGIN_UNKNOWN: [
    'broken',
    'The contract asks for a validation plugin that no stock peer has.',
  ],
  POLICY_KEY_POLICY_INVALID: ['broken', 'The endorsement policy of a key cannot be read.'],
});
