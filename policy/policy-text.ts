import { Fault, limits } from '#base';
import { MspRole, mspRoles, principalClassifications } from '#formats';
import type { MspPrincipal, SignaturePolicy, SignaturePolicyEnvelope } from '#formats';
import { fault } from './faults.ts';
import { rolePrincipal } from './principal.ts';

/**
 * Reads a signature policy as Fabric's tools write it: `AND('Org1MSP.peer', OutOf(2, …))`, `OR(…)`.
 *
 * @param text at most `limits.policyTextBytesMax` characters, gates nested `limits.policyTextDepthMax`
 *   deep at most. A principal is 'MSPID.role', with the roles member, admin, client, peer, orderer.
 * @returns the same envelope, to the byte, that Fabric makes of the text.
 * @throws POLICY_TEXT_INVALID
 * @see Fabric common/policydsl/policyparser.go.
 */
export function parsePolicyText(text: string): SignaturePolicyEnvelope {
  if (text.length > limits.policyTextBytesMax) throw invalid('too long', 0);
  const parser = new Parser(text);
  const rule = parser.gate(0);
  parser.end();
  return { version: 0, rule, identities: parser.principals };
}

/**
 * The text of a signature policy, for people.
 *
 * @returns undefined when it has a principal that the language cannot say.
 */
export function policyText(envelope: SignaturePolicyEnvelope): string | undefined {
  try {
    return ruleText(envelope.rule, envelope.identities);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

const spellings = ['AND', 'And', 'and', 'OR', 'Or', 'or', 'OUTOF', 'OutOf', 'outof'];

/** A gate's arguments before its principals have numbers. */
type Argument = MspPrincipal | SignaturePolicy;

class Parser {
  readonly principals: MspPrincipal[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  gate(depth: number): SignaturePolicy {
    if (depth > limits.policyTextDepthMax) throw invalid('nested too deeply', this.#at);
    const spelling = this.#expect(/[A-Za-z]+/y, 'a gate');
    if (!spellings.includes(spelling)) throw invalid('unknown gate', this.#at);
    const name = spelling.toLowerCase();
    this.#expect(/\(/y, '"("');
    const wanted = name === 'outof' ? this.#count() : undefined;
    const args = this.#arguments(depth);
    const n = wanted ?? (name === 'and' ? args.length : 1);
    // One more than there are rules is a gate that nobody passes; Fabric allows it.
    if (n > args.length + 1) throw invalid('count out of range', this.#at);
    // Fabric numbers a gate's own principals after those of the gates inside it.
    return { signedBy: undefined, nOutOf: { n, rules: args.map((arg) => this.#rule(arg)) } };
  }

  end(): void {
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw invalid('text after the policy', this.#at);
  }

  #arguments(depth: number): Argument[] {
    const args: Argument[] = [];
    do args.push(this.#argument(depth));
    while (this.#next(/,/y) !== undefined);
    this.#expect(/\)/y, '")"');
    return args;
  }

  #argument(depth: number): Argument {
    const quoted = this.#next(/'[^']*'|"[^"]*"/y);
    return quoted === undefined ? this.gate(depth + 1) : this.#principal(quoted.slice(1, -1));
  }

  #principal(name: string): MspPrincipal {
    const match = /^([A-Za-z0-9.-]+)\.(member|admin|client|peer|orderer)$/.exec(name);
    if (match === null) throw invalid('principal', this.#at);
    const [, mspid, role] = match as unknown as [string, string, keyof typeof mspRoles];
    return rolePrincipal(mspid, mspRoles[role]);
  }

  #rule(argument: Argument): SignaturePolicy {
    if (!('principal' in argument)) return argument;
    return { signedBy: this.principals.push(argument) - 1, nOutOf: undefined };
  }

  #count(): number {
    const digits = this.#expect(/\d{1,4}/y, 'a count');
    this.#expect(/,/y, '","');
    return Number(digits);
  }

  #expect(pattern: RegExp, what: string): string {
    const found = this.#next(pattern);
    if (found === undefined) throw invalid(`expected ${what}`, this.#at);
    return found;
  }

  /** The sticky pattern's match at this place, after blanks. */
  #next(pattern: RegExp): string | undefined {
    this.#skipBlanks();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }
}

function ruleText(rule: SignaturePolicy | undefined, principals: readonly MspPrincipal[]): string {
  if (rule?.nOutOf !== undefined) {
    const { n, rules } = rule.nOutOf;
    const inner = rules.map((one) => ruleText(one, principals)).join(', ');
    if (n === rules.length) return `AND(${inner})`;
    return n === 1 ? `OR(${inner})` : `OutOf(${n}, ${inner})`;
  }
  const principal = rule?.signedBy === undefined ? undefined : principals[rule.signedBy];
  if (principal?.principalClassification !== principalClassifications.role) {
    throw invalid('not a role', 0);
  }
  const { mspIdentifier, role } = MspRole.decode(principal.principal);
  const roleName = Object.entries(mspRoles).find(([, number]) => number === role)?.[0];
  if (roleName === undefined) throw invalid('unknown role', 0);
  return `'${mspIdentifier}.${roleName}'`;
}

function invalid(reason: string, at: number): Error {
  return fault('POLICY_TEXT_INVALID', { reason, at });
}
