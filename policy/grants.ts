/** What a client may call; `*` stands for any channel, contract or function. */
export interface Grant {
  channel: string;
  contract: string;
  functions: readonly string[];
}

/** Whether one of the grants covers the call; without a grant nothing is allowed. */
export function grantAllows(
  grants: readonly Grant[],
  call: { channel: string; contract: string; function: string },
): boolean {
  return grants.some(
    (grant) =>
      covers(grant.channel, call.channel) &&
      covers(grant.contract, call.contract) &&
      grant.functions.some((name) => covers(name, call.function)),
  );
}

function covers(granted: string, asked: string): boolean {
  return granted === '*' || granted === asked;
}
