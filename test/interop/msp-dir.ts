import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One identity as Fabric's programs read it from disk; every certificate and key is PEM. */
export interface MspDirContent {
  readonly caCerts: readonly string[];
  readonly intermediateCerts?: readonly string[];
  readonly tlsCaCerts?: readonly string[];
  /** Absent in the MSP of an organisation, which verifies and does not sign. */
  readonly signCert?: string;
  /** PKCS #8, of the `signCert`. */
  readonly key?: string;
}

// Roles come from the certificate's OU, so that the directory needs no list of administrators.
const nodeOus = `NodeOUs:
  Enable: true
  ClientOUIdentifier:
    OrganizationalUnitIdentifier: client
  PeerOUIdentifier:
    OrganizationalUnitIdentifier: peer
  AdminOUIdentifier:
    OrganizationalUnitIdentifier: admin
  OrdererOUIdentifier:
    OrganizationalUnitIdentifier: orderer
`;

/** Writes an MSP directory and returns its path. */
export async function writeMspDir(dir: string, content: MspDirContent): Promise<string> {
  const folders: Readonly<Record<string, readonly (string | undefined)[]>> = {
    cacerts: content.caCerts,
    intermediatecerts: content.intermediateCerts ?? [],
    tlscacerts: content.tlsCaCerts ?? [],
    signcerts: [content.signCert],
    keystore: [content.key],
  };
  for (const [folder, pems] of Object.entries(folders)) {
    await mkdir(join(dir, folder), { recursive: true });
    for (const [index, pem] of pems.entries()) {
      if (pem === undefined) continue;
      const name = folder === 'keystore' ? 'priv_sk' : `${index}.pem`;
      await writeFile(join(dir, folder, name), pem, { mode: 0o600 });
    }
  }
  await writeFile(join(dir, 'config.yaml'), nodeOus);
  return dir;
}
