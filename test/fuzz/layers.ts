/** The messages and signatures inside an envelope, innermost first. */
export const layers = [
  'creator',
  'signatureHeader',
  'extension',
  'channelHeader',
  'kvRwset',
  'results',
  'events',
  'action',
  'proposalResponsePayload',
  'endorser',
  'endorsement',
  'actionPayload',
  'transaction',
  'payload',
  'signature',
] as const;
export type Layer = (typeof layers)[number];
