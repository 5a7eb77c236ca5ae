import { crc32 } from 'node:zlib';
import { limits } from '#base';

/**
 * One record of a block file.
 * Head, 28 bytes, big-endian: magic u32 ‖ kind u32 ‖ block number u64 ‖ payload length u32 ‖
 * CRC-32 of the payload u32 ‖ CRC-32 of the 24 bytes before u32. The payload follows.
 * Both CRCs start from the file's salt, so that no payload can contain a frame of its own file.
 */
export interface Frame {
  kind: FrameKind;
  number: bigint;
  /** View of the buffer it was read from. */
  payload: Uint8Array;
}

/** Payloads are common.Block bytes, whole or in two halves that join to one message. */
export const frameKinds = {
  /** Header and data of a block that waits for its signature. */
  proposed: 1,
  /** Metadata of the proposed block before it. */
  sealed: 2,
  /** A whole block. */
  block: 3,
} as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export const frameHeadBytes = 28;
const magic = 0x43534652;

/** @returns the head; the payload is written behind it. */
export function frameHead(frame: Frame, salt: number): Uint8Array {
  const head = new Uint8Array(frameHeadBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, magic);
  view.setUint32(4, frame.kind);
  view.setBigUint64(8, frame.number);
  view.setUint32(16, frame.payload.length);
  view.setUint32(20, crc32(frame.payload, salt));
  view.setUint32(24, crc32(head.subarray(0, 24), salt));
  return head;
}

export interface FrameHead {
  kind: FrameKind;
  number: bigint;
  payloadBytes: number;
  payloadCrc: number;
}

/** @param bytes {@link frameHeadBytes} of them. @returns undefined when they are no head. */
export function parseFrameHead(bytes: Uint8Array, salt: number): FrameHead | undefined {
  if (bytes.length < frameHeadBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, frameHeadBytes);
  if (view.getUint32(0) !== magic) return undefined;
  if (view.getUint32(24) !== crc32(bytes.subarray(0, 24), salt)) return undefined;
  const kind = view.getUint32(4);
  if (!isFrameKind(kind)) return undefined;
  const payloadBytes = view.getUint32(16);
  if (payloadBytes > limits.frameBytesMax) return undefined;
  return { kind, number: view.getBigUint64(8), payloadBytes, payloadCrc: view.getUint32(20) };
}

export function isPayloadOf(head: FrameHead, payload: Uint8Array, salt: number): boolean {
  return payload.length === head.payloadBytes && crc32(payload, salt) === head.payloadCrc;
}

/** Whether a frame head could start somewhere in these bytes, past their first one. */
export function findMagic(bytes: Uint8Array, from: number): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.indexOf(magicBytes, from);
}

const magicBytes = Buffer.from([0x43, 0x53, 0x46, 0x52]);

function isFrameKind(kind: number): kind is FrameKind {
  return kind === frameKinds.proposed || kind === frameKinds.sealed || kind === frameKinds.block;
}
