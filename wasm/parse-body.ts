import { limits } from '#base';
import { fault } from './faults.ts';
import type { BodyShape, Edit, ModuleShape } from './module-shape.ts';
import { bulkOp, instructionOf, op, refusedBulkFamily, refusedFamily } from './opcodes.ts';
import type { Instruction } from './opcodes.ts';
import { functionTypeOf, valueType } from './parse-interface.ts';
import type { Reader } from './reader.ts';

/**
 * Walks one function body: refuses what is not allowed, finds where gas is to be charged and how
 * many operand slots a call takes.
 *
 * A segment is a run of instructions that is entered only at its start: it begins at the function's
 * entry, at a loop's head, behind a branch and at a block's end, and is charged as a whole there.
 */
export function parseBody(reader: Reader, shape: ModuleShape, functionIndex: number): BodyShape {
  return new BodyScan(reader, shape, functionIndex).scan();
}

interface Frame {
  readonly height: number;
  readonly results: number;
}

/** Slots that every call takes beside its locals and operands: return address, frame, instance. */
const frameSlotsFixed = 16;

class BodyScan {
  readonly #reader: Reader;
  readonly #shape: ModuleShape;
  readonly #functionIndex: number;
  readonly #start: number;
  readonly #edits: Edit[] = [];
  readonly #frames: Frame[] = [];
  #segment: Extract<Edit, { kind: 'charge' }>;
  #height = 0;
  #heightMax = 0;

  constructor(reader: Reader, shape: ModuleShape, functionIndex: number) {
    this.#reader = reader;
    this.#shape = shape;
    this.#functionIndex = functionIndex;
    this.#start = reader.offset;
    this.#segment = { kind: 'charge', offset: 0, cost: 0 };
  }

  scan(): BodyShape {
    const type = functionTypeOf(this.#shape, this.#functionIndex);
    const locals = type.params.length + this.#locals(type.params.length);
    const codeOffset = this.#offset();
    this.#beginSegment();
    this.#segment.cost = locals;
    this.#frames.push({ height: 0, results: type.result === undefined ? 0 : 1 });
    while (this.#frames.length > 0) this.#instruction();
    this.#reader.expectEnd(`function ${this.#functionIndex}`);
    return {
      bytes: this.#reader.bytes.subarray(this.#start, this.#reader.end),
      codeOffset,
      frameSlots: frameSlotsFixed + locals + this.#heightMax,
      edits: this.#edits,
    };
  }

  #locals(paramCount: number): number {
    const groups = this.#reader.count('local groups', limits.contractLocalsMax);
    let count = 0;
    for (let group = 0; group < groups; group += 1) {
      count += this.#reader.u32();
      if (paramCount + count > limits.contractLocalsMax) {
        const countMax = limits.contractLocalsMax;
        throw fault('WASM_SHAPE_OVERSIZE', {
          what: 'locals',
          function: this.#functionIndex,
          countMax,
        });
      }
      valueType(this.#reader, `local of function ${this.#functionIndex}`);
    }
    return count;
  }

  #instruction(): void {
    const offset = this.#offset();
    const opcode = this.#reader.u8();
    if (opcode === op.bulkPrefix) return this.#bulk(offset);
    const instruction = instructionOf(opcode);
    if (instruction === undefined) throw this.#refused(refusedFamily(opcode), opcode, offset);
    if (opcode !== op.end && opcode !== op.else) this.#segment.cost += 1;
    this.#pop(instruction.pops);
    this.#immediate(instruction, opcode);
    this.#push(instruction.pushes);
    this.#control(opcode, offset);
    return undefined;
  }

  #immediate(instruction: Instruction, opcode: number): void {
    const reader = this.#reader;
    switch (instruction.immediate) {
      case 'none':
        return;
      case 'i32':
        reader.s32();
        return;
      case 'i64':
        reader.skipS64();
        return;
      case 'memory-argument':
        // Bit 6 of the alignment selects another memory: anything above 3 is no alignment here.
        if (reader.u32() > 3) throw this.#refused('multi-memory', opcode, this.#offset());
        reader.u32();
        return;
      case 'memory-index':
        this.#zeroIndex('multi-memory', opcode);
        return;
      case 'local':
      case 'global':
      case 'label':
        reader.u32();
        return;
      case 'label-table':
        this.#labelTable();
        return;
      case 'function':
        this.#call(reader.u32());
        return;
      case 'type-and-table':
        this.#callIndirect(opcode);
        return;
      case 'block-type':
        this.#openBlock();
    }
  }

  #labelTable(): void {
    const count = this.#reader.count('branch table entries', limits.contractBranchTableMax);
    for (let index = 0; index <= count; index += 1) this.#reader.u32();
  }

  #call(functionIndex: number): void {
    const type = functionTypeOf(this.#shape, functionIndex);
    this.#pop(type.params.length);
    this.#push(type.result === undefined ? 0 : 1);
  }

  #callIndirect(opcode: number): void {
    const type = this.#shape.types[this.#reader.u32()];
    if (type === undefined) throw this.#reader.malformed('unknown type');
    this.#zeroIndex('multi-table', opcode);
    this.#pop(type.params.length);
    this.#push(type.result === undefined ? 0 : 1);
  }

  #openBlock(): void {
    const emptyBlock = 0x40;
    let results = 0;
    if (this.#reader.bytes[this.#reader.offset] === emptyBlock) this.#reader.u8();
    else {
      valueType(this.#reader, `block of function ${this.#functionIndex}`);
      results = 1;
    }
    if (this.#frames.length > limits.contractNestingMax) {
      const depthMax = limits.contractNestingMax;
      throw fault('WASM_SHAPE_OVERSIZE', {
        what: 'nesting',
        function: this.#functionIndex,
        depthMax,
      });
    }
    this.#frames.push({ height: this.#height, results });
  }

  /** What an instruction does to the flow of control, after its operands are accounted for. */
  #control(opcode: number, offset: number): void {
    switch (opcode) {
      case op.return:
        this.#edits.push({ kind: 'return', offset, labelDepth: this.#frames.length - 1 });
        return this.#leaveSegment();
      case op.br:
      case op.brTable:
      case op.unreachable:
        return this.#leaveSegment();
      case op.memoryGrow:
        this.#edits.push({ kind: 'grow', offset });
        return undefined;
      case op.else:
        this.#height = this.#frame().height;
        return this.#beginSegment();
      case op.end:
        return this.#closeBlock();
      case op.brIf:
      case op.loop:
      case op.if:
        return this.#beginSegment();
      default:
        return undefined;
    }
  }

  #bulk(offset: number): void {
    this.#segment.cost += 1;
    const subOpcode = this.#reader.u32();
    switch (subOpcode) {
      case bulkOp.dataDrop:
        this.#reader.u32();
        this.#shape.dropsData = true;
        return;
      case bulkOp.memoryInit:
        this.#reader.u32();
        this.#zeroIndex('multi-memory', op.bulkPrefix);
        break;
      case bulkOp.memoryCopy:
        this.#zeroIndex('multi-memory', op.bulkPrefix);
        this.#zeroIndex('multi-memory', op.bulkPrefix);
        break;
      case bulkOp.memoryFill:
        this.#zeroIndex('multi-memory', op.bulkPrefix);
        break;
      default:
        throw this.#refused(refusedBulkFamily(subOpcode), op.bulkPrefix, offset);
    }
    this.#edits.push({ kind: 'bulk', offset });
    this.#pop(3);
  }

  #leaveSegment(): void {
    this.#height = this.#frame().height;
    this.#beginSegment();
  }

  #closeBlock(): void {
    const frame = this.#frame();
    this.#frames.pop();
    this.#height = frame.height;
    this.#push(frame.results);
    this.#beginSegment();
  }

  #beginSegment(): void {
    this.#segment = { kind: 'charge', offset: this.#offset(), cost: 0 };
    this.#edits.push(this.#segment);
  }

  #frame(): Frame {
    const frame = this.#frames.at(-1);
    if (frame === undefined) throw this.#reader.malformed('code after the end of a function');
    return frame;
  }

  /** Behind an unconditional branch the stack is what the code wants it to be: never below the block. */
  #pop(count: number): void {
    this.#height = Math.max(this.#height - count, this.#frame().height);
  }

  #push(count: number): void {
    this.#height += count;
    this.#heightMax = Math.max(this.#heightMax, this.#height);
  }

  #zeroIndex(family: string, opcode: number): void {
    if (this.#reader.u8() !== 0) throw this.#refused(family, opcode, this.#offset());
  }

  #refused(family: string, opcode: number, offset: number): Error {
    const instruction = `0x${opcode.toString(16).padStart(2, '0')}`;
    const detail = { instruction, function: this.#functionIndex, offset };
    return family === 'float'
      ? fault('WASM_FLOAT_USED', { what: 'instruction', ...detail })
      : fault('WASM_FEATURE_REFUSED', { what: family, ...detail });
  }

  #offset(): number {
    return this.#reader.offset - this.#start;
  }
}
