// The part of WebAssembly's JavaScript interface that this folder uses. TypeScript declares it only
// together with the browser's whole DOM, which has no place in a server.

declare namespace WebAssembly {
  type Imports = Record<string, Record<string, (...params: number[]) => number | bigint | void>>;
  type Exports = Record<string, unknown>;

  class Module {
    constructor(code: Uint8Array<ArrayBuffer>);
    readonly [Symbol.toStringTag]: 'WebAssembly.Module';
  }

  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Exports;
  }

  class Memory {
    private constructor();
    readonly buffer: ArrayBuffer;
  }

  class Global<Value extends number | bigint> {
    private constructor();
    readonly value: Value;
  }

  class RuntimeError extends Error {}

  function validate(code: Uint8Array<ArrayBuffer>): boolean;
}
