/** What an application needs to know of a network; every client program of the tests takes it as JSON. */
export interface ClientProfile {
  /** `host:port` of the gateway. */
  readonly endpoint: string;
  /** PEM. */
  readonly tlsRootFile: string;
  readonly channel: string;
  readonly contract: string;
  readonly mspid: string;
  /** PEM. */
  readonly certificateFile: string;
  /** PEM, PKCS #8. */
  readonly keyFile: string;
}
