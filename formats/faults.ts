import { declareFaults } from '#base';

export const fault = declareFaults({
  FORMATS_PROTOBUF_INVALID: ['malformed', 'The bytes are not a protobuf message of this type.'],
  FORMATS_PROTOBUF_NOT_CANONICAL: [
    'malformed',
    'The protobuf message is not in canonical form or has unknown fields.',
  ],
  FORMATS_ANSWER_INVALID: ['broken', 'A process of the zone gave an answer of another shape.'],
  FORMATS_BLOCK_MALFORMED: ['malformed', 'The block is not in the form that Fabric peers accept.'],
  FORMATS_TRANSACTION_MALFORMED: [
    'malformed',
    'The transaction lacks a layer that Fabric demands.',
  ],
  FORMATS_DEFINITION_INVALID: ['malformed', 'The contract definition would stop Fabric peers.'],
});
