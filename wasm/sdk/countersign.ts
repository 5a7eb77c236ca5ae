// The functions of the host, ABI version 1: pointers and byte lengths in, lengths out.
// The compiler takes the import's module name from this file's name: it must stay `countersign`.

export declare function argCount(): i32;
export declare function arg(index: i32): i32;
export declare function read(target: usize): void;
export declare function get(key: usize, keyBytes: i32): i32;
export declare function put(key: usize, keyBytes: i32, value: usize, valueBytes: i32): void;
export declare function remove(key: usize, keyBytes: i32): void;
export declare function rangeOpen(
  start: usize,
  startBytes: i32,
  end: usize,
  endBytes: i32,
  limit: i32,
): i32;
export declare function rangeNext(handle: i32): i32;
export declare function rangeValue(handle: i32): i32;
export declare function rangeClose(handle: i32): void;
export declare function clientId(): i32;
export declare function clientMspId(): i32;
export declare function requestId(): i32;
export declare function timeMs(): i64;
export declare function sha256(bytes: usize, byteCount: i32, target: usize): void;
export declare function emit(name: usize, nameBytes: i32, payload: usize, payloadBytes: i32): void;
export declare function setResult(bytes: usize, byteCount: i32): void;
export declare function transient(name: usize, nameBytes: i32): i32;
export declare function fail(message: usize, messageBytes: i32): void;
