import { declareFaults } from '#base';

export const fault = declareFaults({
  WASM_CODE_OVERSIZE: ['malformed', 'The contract code is too large.'],
  WASM_CODE_MALFORMED: ['malformed', 'The contract code is not a well-formed WebAssembly module.'],
  WASM_CODE_INVALID: ['malformed', 'The contract code does not pass WebAssembly validation.'],
  WASM_FLOAT_USED: ['malformed', 'The contract uses floating point, which is not deterministic.'],
  WASM_FEATURE_REFUSED: [
    'malformed',
    'The contract uses a WebAssembly feature that is not allowed.',
  ],
  WASM_IMPORT_UNKNOWN: [
    'malformed',
    'The contract imports something that the host does not offer.',
  ],
  WASM_IMPORT_MISTYPED: [
    'malformed',
    'The contract imports a host function with a wrong signature.',
  ],
  WASM_MEMORY_REFUSED: ['malformed', 'The contract must have one memory within the page limit.'],
  WASM_TABLE_REFUSED: ['malformed', 'The contract may have one function table within the limit.'],
  WASM_EXPORT_MISSING: ['malformed', 'The contract lacks an export that it must have.'],
  WASM_EXPORT_REFUSED: ['malformed', 'The contract exports something that it may not.'],
  WASM_START_REFUSED: ['malformed', 'The contract has a start function.'],
  WASM_SEGMENT_REFUSED: ['malformed', 'A data or element segment of the contract does not fit.'],
  WASM_SHAPE_OVERSIZE: ['malformed', 'The contract has too many or too large parts of one kind.'],
  WASM_HOST_EXHAUSTED: ['broken', 'The machine ran out of stack or memory below the bounds.'],
  WASM_BUILD_FAILED: ['broken', 'The contract source does not compile.'],
  WASM_CONTRACT_ABSENT: ['absent', 'There is no built-in contract of this name.'],
});
