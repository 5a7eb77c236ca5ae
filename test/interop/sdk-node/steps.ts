import { status } from '@grpc/grpc-js';
import { GatewayError, StatusCode } from '@hyperledger/fabric-gateway';
import type { Contract, Gateway, Network, Signer } from '@hyperledger/fabric-gateway';
import type { ClientProfile } from '../client-profile.ts';

export interface Application {
  /** A key that no other run of the program uses. */
  keyOf: (name: string) => string;
  profile: ClientProfile;
  gateway: Gateway;
  network: Network;
  contract: Contract;
  /** A gateway of the same identity that has no key: what it sends was signed elsewhere. */
  keyless: Gateway;
  signer: Signer;
}

/** What a step prints; every language prints the same members in the same order. */
export type Step = (application: Application) => Promise<Record<string, unknown>>;

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Fabric's name of a validation code. */
export function codeName(code: number): string | undefined {
  return Object.entries(StatusCode).find(([_name, value]) => value === code)?.[0];
}

/** How a call to the gateway failed: addresses differ between networks, all else is compared. */
export async function failureOf(call: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayError)) throw error;
  const details = error.details.map(({ mspId, message }) => ({ mspId, message }));
  return { error: error.name, code: status[error.code], details };
}
