import { decimal, jsonText, packFields, unpackFields } from 'countersign';

/** The state of one digest. Stored as packed fields under `deposit/<digest>`. */
export class Deposit {
  digest: string;
  name: string = '';
  mediaType: string = '';
  owner: string = '';
  requestId: string = '';
  timeMs: i64 = 0;
  revoked: bool = false;
  reason: string = '';
  stepCount: i32 = 0;

  constructor(digest: string) {
    this.digest = digest;
  }

  static unpack(digest: string, packed: Uint8Array): Deposit {
    const fields = unpackFields(packed);
    const deposit = new Deposit(digest);
    deposit.name = fields[0];
    deposit.mediaType = fields[1];
    deposit.owner = fields[2];
    deposit.requestId = fields[3];
    deposit.timeMs = parseDecimal(fields[4]);
    deposit.revoked = fields[5] == 'revoked';
    deposit.reason = fields[6];
    deposit.stepCount = parseDecimal(fields[7]) as i32;
    return deposit;
  }

  pack(): Uint8Array {
    return packFields([
      this.name,
      this.mediaType,
      this.owner,
      this.requestId,
      decimal(this.timeMs),
      this.status(),
      this.reason,
      decimal(this.stepCount),
    ]);
  }

  /** Members in this order, always all of them; `reason` is null unless revoked. */
  json(): string {
    const reason = this.revoked ? jsonText(this.reason) : 'null';
    return (
      `{"digest":"${this.digest}","name":${jsonText(this.name)}` +
      `,"mediaType":${jsonText(this.mediaType)},"owner":${jsonText(this.owner)}` +
      `,"status":"${this.status()}","reason":${reason}` +
      `,"depositedAtMs":${decimal(this.timeMs)},"requestId":${jsonText(this.requestId)}` +
      `,"steps":${decimal(this.stepCount)}}`
    );
  }

  private status(): string {
    return this.revoked ? 'revoked' : 'active';
  }
}

/** Reads digits that {@link decimal} wrote. */
export function parseDecimal(digits: string): i64 {
  let value: i64 = 0;
  for (let index = 0; index < digits.length; index++) {
    value = value * 10 + (digits.charCodeAt(index) - 48);
  }
  return value;
}
