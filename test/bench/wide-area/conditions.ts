export const delayMs = 40;
/** Below it are HTTP/2's pings, window updates and their acknowledgements, inside TLS records. */
export const flightBytesMin = 100;
/** A ping has 39 bytes and its answer 33; the answer to a call that says nothing more has 50. */
export const answerBytesMin = 45;
/** The first few are not measured. */
export const transactionCount = 35;
export const peerDomains = ['org1', 'org2', 'org3'] as const;
