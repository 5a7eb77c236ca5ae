/** What the service owes to the scheme it follows, one sentence per id; tests name the ids in their titles. */
export const requirements: ReadonlyMap<string, string> = new Map([
  [
    '000-4',
    'A contract is loaded, compiled in a worker thread, instantiated with the host’s functions and called; each step can be observed.',
  ],
  [
    '000-5',
    'Contracts are deterministic: no floating point, metered instructions, bounded stack and memory.',
  ],
  [
    '002-1',
    'A client signs its transaction data once; the request carries data, signature and client id.',
  ],
  ['002-2', 'A client that is not on the whitelist is refused before an endorser hears of it.'],
  ['002-3', 'What a client may call is decided per channel and contract.'],
  [
    '002-4',
    'Partitioned keys: each endorser holds some nodes’ keys, and only the endorsers that the policy needs are asked.',
  ],
  [
    '002-5',
    'Replicated keys: the endorsers in the best state are chosen, and an assignment tells each its nodes.',
  ],
  ['002-6', 'Preset order: endorsers take their turns in a configured sequence.'],
  [
    '002-7',
    'The client’s public key comes with the request, or from the endorser’s or the manager’s registry.',
  ],
  ['002-8', 'An endorser refuses altered data and a request that was executed before.'],
  [
    '002-9',
    'An endorser finds the nodes it signs for from the policy or from its task, and uses their keys.',
  ],
  ['002-10', 'An endorser simulates, votes, and signs vote and result with each node’s key.'],
  ['002-11', 'An endorser returns its endorsements with the bytes that were signed.'],
  [
    '002-12',
    'The manager verifies every endorsement and has a failed one made again, elsewhere if need be.',
  ],
  ['002-13', 'The manager makes a block of the endorsed transactions.'],
  ['002-14', 'Blocks and an evidence log of requests and results are kept.'],
  ['002-15', 'Blocks are delivered to the nodes.'],
  [
    '002-16',
    'A node checks fields, legality, every endorsement the policy asks for, and the votes.',
  ],
  ['002-17', 'Only a transaction that passes is applied to the node’s ledger.'],
  [
    '002-18',
    'Policies differ by contract: named nodes, a majority of the channel, or some number out of a group.',
  ],
  ['002-19', 'Signing keys live in an encryption device, real or virtual, behind PKCS #11.'],
  ['002-20', 'Keys and code of the endorsers are protected by attested hardware.'],
  ['002-21', 'A certificate authority registers clients.'],
  [
    '002-22',
    'A commit takes no round trip between domains: one message in, one block out to the nodes.',
  ],
  ['002-23', 'The chain engine stands behind a boundary of its own.'],
  ['002-24', 'Clients may use RSA as well as elliptic-curve keys.'],
]);

/** Why one is not met. */
export const openReasons: ReadonlyMap<string, string> = new Map([
  [
    '002-23',
    'in half: keys, custody, contracts and cryptography name no message of Fabric’s, which a test holds; the manager, the endorser, the ledger and the peers are Fabric’s own services and storage, and name them',
  ],
]);
