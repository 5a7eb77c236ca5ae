import { join, resolve } from 'node:path';
import { fault } from './faults.ts';

/** A Unix socket's path has 108 bytes on Linux, with the closing zero. */
const socketPathBytesMax = 107;

/** Where everything of one network lies; the only place that knows file names. */
export class NetworkLayout {
  readonly dir: string;

  /** @throws CLI_PATH_TOO_LONG when the sockets would not fit into a socket address. */
  constructor(dir: string) {
    this.dir = resolve(dir);
    const longest = this.socket('endorser-999');
    if (Buffer.byteLength(longest) > socketPathBytesMax) {
      throw fault('CLI_PATH_TOO_LONG', { path: longest, socketPathBytesMax });
    }
  }

  get networkFile(): string {
    return join(this.dir, 'network.json');
  }

  get genesisFile(): string {
    return join(this.dir, 'genesis.block');
  }

  get registryFile(): string {
    return join(this.dir, 'clients.json');
  }

  get portsFile(): string {
    return join(this.dir, 'run', 'ports.json');
  }

  get runDir(): string {
    return join(this.dir, 'run');
  }

  get logDir(): string {
    return join(this.dir, 'log');
  }

  get configDir(): string {
    return join(this.dir, 'config');
  }

  /** Where a countersign peer writes its port. */
  peerPortsFile(peerName: string): string {
    return join(this.runDir, `${peerName}.ports.json`);
  }

  /** Configuration file of one process: `manager`, `endorser-1`, `signer-org1`, `peer-1`. */
  config(processName: string): string {
    return join(this.configDir, `${processName}.json`);
  }

  log(processName: string): string {
    return join(this.logDir, `${processName}.log`);
  }

  socket(processName: string): string {
    return join(this.runDir, `${processName}.sock`);
  }

  ledger(processName: string): string {
    return join(this.dir, 'ledger', processName);
  }

  /** Directory of one organisation's SoftHSM token. */
  token(tokenName: string): string {
    return join(this.dir, 'tokens', tokenName);
  }

  signerState(tokenName: string): string {
    return join(this.dir, 'guard', tokenName);
  }

  /** What was ordered of one token, beside its guard. */
  auditFile(tokenName: string): string {
    return join(this.signerState(tokenName), 'audit.jsonl');
  }

  /** What one token signed, beside its guard; a directory. */
  signatureLog(tokenName: string): string {
    return join(this.signerState(tokenName), 'signatures');
  }

  /** Where one token's signer host takes orders. */
  adminSocket(tokenName: string): string {
    return this.socket(`admin-${tokenName}`);
  }

  /** Private key of a development network's operator. */
  operatorKey(operator: string): string {
    return join(this.dir, 'operators', `${operator}.key`);
  }

  /** Who may order what of one token. */
  operatorPolicy(tokenName: string): string {
    return join(this.dir, 'operators', `${tokenName}.json`);
  }

  /** Directory of one organisation's development CAs. */
  ca(orgName: string): string {
    return join(this.dir, 'ca', orgName);
  }

  /** Certificate of the CA that issues one organisation's identities. */
  caCertificate(orgName: string): string {
    return join(this.ca(orgName), 'ca.pem');
  }

  /** Who certifies an organisation's keys, when it is not its development CA. */
  certificateSource(orgName: string): string {
    return join(this.ca(orgName), 'source.json');
  }

  get certificatesDir(): string {
    return join(this.dir, 'certificates');
  }

  /** Fingerprints of an organisation's keys that were revoked: none of them is certified again. */
  revokedKeys(orgName: string): string {
    return join(this.ca(orgName), 'revoked-keys.json');
  }

  /** Certificate of a key that lives in a token. */
  keyCertificate(keyLabel: string): string {
    return join(this.certificatesDir, `${keyLabel}.pem`);
  }

  /** What one token's signer host knows of the versions of its keys. */
  keyRecord(tokenName: string): string {
    return join(this.signerState(tokenName), 'keys.json');
  }

  /** TLS certificate chain and key of a server or transport identity. */
  tls(name: string): { certificateFile: string; keyFile: string; caFile: string } {
    return {
      certificateFile: join(this.dir, 'tls', `${name}.pem`),
      keyFile: join(this.dir, 'tls', `${name}.key.pem`),
      caFile: join(this.dir, 'tls', `${name}.ca.pem`),
    };
  }

  /** Key and certificate of a person or node outside the zone. */
  identity(keyId: string): { certificateFile: string; keyFile: string } {
    const dir = join(this.dir, 'identities', keyId);
    return { certificateFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem') };
  }
}
