/**
 * Why the host ends an invocation that breaks the ABI's rules. The sentences stand in results on
 * ledgers and every endorser must say the same: they are part of ABI version 1 and never change.
 */
export const abiStops = {
  pointer: 'The contract passed a pointer outside its memory.',
  utf8: 'The contract passed text that is not UTF-8.',
  argIndex: 'The contract asked for an argument that was not given.',
  keyEmpty: 'The contract used an empty key.',
  keyLong: 'The contract used a key that is too long.',
  valueEmpty: 'The contract put an empty value.',
  valueLong: 'The contract put a value that is too large.',
  rangeLimit: 'The contract asked for too many or no results of a range.',
  rangesOpen: 'The contract has too many ranges open.',
  rangeHandle: 'The contract used a range that is not open.',
  eventName: 'The contract emitted an event with an empty or too long name.',
  eventLong: 'The contract emitted an event that is too large.',
  eventsMany: 'The contract emitted too many events.',
  resultLong: 'The contract set a result that is too large.',
  messageLong: 'The contract failed with a message that is too long.',
} as const;

/** The sentences of outcomes that no host function caused; fixed for the same reason. */
export const outcomeSentences = {
  absent: 'The contract has no function of this name.',
  trap: 'The contract trapped.',
  gas: 'The contract ran out of gas.',
  depth: 'The contract called too deeply.',
} as const;
