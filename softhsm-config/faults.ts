import { declareFaults } from '#base';

export const fault = declareFaults({
  SOFTHSM_MODULE_MISSING: ['fatal', 'No SoftHSM module is installed where it was looked for.'],
  SOFTHSM_TOKEN_EXISTS: ['conflict', 'The directory holds a token already.'],
  SOFTHSM_TOKEN_ABSENT: ['absent', 'The directory holds no token of this label.'],
  SOFTHSM_KEY_ABSENT: ['absent', 'The token holds no key of this label, or several.'],
  SOFTHSM_LINE_FOREIGN: ['denied', 'A key signs the line of a ceremony that tells of itself only.'],
  SOFTHSM_SPEC_INVALID: ['malformed', 'The description of the token to be made is not valid.'],
  SOFTHSM_PROVISIONING_FAILED: ['broken', 'The token could not be made or read.'],
});
