import { declareFaults } from '#base';

export const fault = declareFaults({
  ENDORSER_TASK_INVALID: ['malformed', 'The endorsement task contradicts itself.'],
  ENDORSER_HEIGHT_BEHIND: ['busy', 'The endorser has not reached the height of the task.'],
  ENDORSER_BLOCK_REFUSED: ['malformed', 'The block is not signed as the channel demands.'],
  ENDORSER_NODE_UNKNOWN: ['absent', 'No signer of this endorser holds the key of that node.'],
  ENDORSER_POLICY_UNREACHABLE: ['denied', 'None of the nodes here can serve the contract policy.'],
  ENDORSER_CONTRACT_UNKNOWN: ['absent', 'No contract of that name is deployed on the channel.'],
  ENDORSER_FUNCTION_UNKNOWN: ['malformed', 'The contract has no function of that name.'],
  ENDORSER_SIGNATURE_BAD: ['unauthenticated', 'The client signature does not verify.'],
  ENDORSER_CLIENT_UNKNOWN: ['unauthenticated', 'The certificate of the client is not known here.'],
  ENDORSER_REQUEST_EXPIRED: ['denied', 'The request has expired or is not valid yet.'],
  ENDORSER_REQUEST_REPLAYED: ['conflict', 'The request has been executed already.'],
  ENDORSER_REQUEST_MISPLACED: [
    'malformed',
    'The request is for another channel or contract than its bundle.',
  ],
  ENDORSER_CONTRACT_FAILED: ['denied', 'The contract refused the request.'],
  ENDORSER_CONTRACT_TRAPPED: ['denied', 'The contract trapped.'],
  ENDORSER_EVENTS_TOO_MANY: ['denied', 'The request emits more events than allowed.'],
  ENDORSER_GAS_EXHAUSTED: ['denied', 'The contract used up its gas.'],
  ENDORSER_DEPTH_EXHAUSTED: ['denied', 'The contract called itself too deeply.'],
  ENDORSER_HOST_REFUSED: ['denied', 'A call of the contract to its host was refused.'],
  ENDORSER_WORKER_LOST: ['busy', 'The worker that ran the contract was stopped.'],
  ENDORSER_ADMIN_REQUIRED: ['denied', 'Only an administrator of an organisation may deploy.'],
  ENDORSER_DEFINITION_INVALID: ['malformed', 'The contract definition is not well-formed.'],
  ENDORSER_SEQUENCE_WRONG: ['conflict', 'The definition sequence is not the next one.'],
});
