// What a contract imports: `import { State, Context, arg, fail } from 'countersign';`
// Every exported function without parameters and result is a function that clients can call.

export { arg, argBytes, argCount, expectArgs } from './args';
export { Context } from './context';
export { packFields, unpackFields } from './fields';
export { check, emit, emitBytes, fail, setResult, setResultBytes } from './outcome';
export { sha256 } from './digest';
export { State, Range } from './state';
export { decimal, isLowerHex, jsonText, toHex, utf8 } from './text';
export { abort } from './abort';
