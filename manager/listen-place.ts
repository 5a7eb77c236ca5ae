import { isLoopback } from '#base';
import { fault } from './faults.ts';

/** Where a service listens, and as whom. */
export interface ListenPlace {
  host: string;
  /** 0 takes a free one. */
  port: number;
  tls?: TlsPair;
}

/** PEM texts: the certificate with its intermediates, and its private key. */
export interface TlsPair {
  certificate: string;
  privateKey: string;
}

/** @throws MANAGER_LISTEN_INSECURE unless there is TLS, or nobody outside the host can connect. */
export function checkListenPlace({ host, tls }: ListenPlace): void {
  if (tls !== undefined || isLoopback(host)) return;
  throw fault('MANAGER_LISTEN_INSECURE', { host });
}

/** Why the service cannot listen: the port is another program's, the address is not this machine's. */
export function listenRefused({ host, port }: ListenPlace, error: Error): Error {
  return fault('MANAGER_LISTEN_REFUSED', { host, port, reason: error.message });
}
