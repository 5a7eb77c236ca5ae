import { declareFaults } from '#base';

export const fault = declareFaults({
  CLI_PATH_TOO_LONG: [
    'malformed',
    'The directory is too deep for Unix sockets; choose a shorter one.',
  ],
  CLI_NETWORK_EXISTS: ['conflict', 'There is a network in this directory already.'],
  CLI_NETWORK_MISSING: ['absent', 'There is no network in this directory.'],
  CLI_USAGE_WRONG: ['malformed', 'The command line is not understood.'],
  CLI_FILE_UNREADABLE: ['absent', 'A file that the command line names cannot be read.'],
  CLI_CLIENT_NAME_INVALID: ['malformed', 'A client’s name has letters, digits and @ . _ - only.'],
  CLI_CLIENT_EXISTS: ['conflict', 'There is a client of this name already.'],
  CLI_CLIENT_MISSING: ['absent', 'There is no client of this name.'],
  CLI_ORGANISATION_MISSING: ['absent', 'There is no organisation of this name.'],
  CLI_PROCESS_ENDED: ['broken', 'A process of the network ended while it was starting.'],
  CLI_PROCESS_SILENT: ['broken', 'A process of the network did not come up in time.'],
  CLI_KEY_MISSING: ['absent', 'There is no key of this name.'],
  CLI_REQUEST_FOREIGN: ['malformed', 'The certificate request is not for this key.'],
  CLI_SECRET_MISSING: [
    'absent',
    'The key can enroll with nothing: no secret of it is there, and no certificate in force.',
  ],
  CLI_CA_UNREACHABLE: ['broken', 'The certificate authority could not be reached.'],
  CLI_CA_REFUSED: ['denied', 'The certificate authority refused.'],
  CLI_CA_ANSWER_INVALID: [
    'broken',
    'What the certificate authority answered is not what it should be.',
  ],
  CLI_CRL_WRONG: ['malformed', 'The revocation list is not one that revokes this certificate.'],
  CLI_KEY_REVOKED: ['conflict', 'The channel has revoked this certificate already.'],
  CLI_REGISTRAR_MISSING: ['absent', 'No identity is named that may have the CA revoke.'],
  CLI_ENVELOPE_REFUSED: ['denied', 'The ordering service refused the envelope.'],
  CLI_OPERATOR_KEY_WRONG: ['malformed', 'This is no key of an operator.'],
  CLI_ORDER_WAITING: [
    'busy',
    'The order waits for the end of its time-lock; submit it again then.',
  ],
  CLI_ORDER_POLICY_OTHER: ['conflict', 'The order was made under another operator policy.'],
  CLI_CALL_FAILED: ['broken', 'The service could not be reached.'],
});
