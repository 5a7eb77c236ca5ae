// Keys that are set once; the same rules stand in test/interop/rival/chaincode/main.go for stock Fabric.

import { State, arg, emit, expectArgs, fail, setResult } from 'countersign';

export function create(): void {
  expectArgs(2);
  const key = arg(0);
  if (State.has(key)) fail('This key is taken.');
  State.putText(key, arg(1));
  setResult(key);
}

export function announce(): void {
  create();
  emit('announced', arg(0) + '=' + arg(1));
}

export function read(): void {
  expectArgs(1);
  const value = State.getText(arg(0));
  if (value === null) fail('There is no such key.');
  setResult(value!);
}
