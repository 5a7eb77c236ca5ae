import { utf8 } from '#base';
import { FabricMspConfig } from '#formats';
import type { FabricOuIdentifier, MspConfig } from '#formats';
import type { GenesisOrganization } from './genesis.ts';

/**
 * The membership provider of an organisation: roles by organisational unit, whichever of its
 * authorities hands them out, so that no certificate of a person stands in the configuration.
 */
export function genesisMsp(organization: GenesisOrganization): MspConfig {
  const pem = (certificates: readonly string[] = []) => certificates.map(utf8);
  const config = FabricMspConfig.encode({
    name: organization.mspid,
    rootCerts: pem(organization.rootCertificates),
    intermediateCerts: pem(organization.intermediateCertificates),
    cryptoConfig: { signatureHashFamily: 'SHA2', identityIdentifierHashFunction: 'SHA256' },
    tlsRootCerts: pem(organization.tlsRootCertificates),
    tlsIntermediateCerts: pem(organization.tlsIntermediateCertificates),
    fabricNodeOus: {
      enable: true,
      clientOuIdentifier: unit('client'),
      peerOuIdentifier: unit('peer'),
      adminOuIdentifier: unit('admin'),
      ordererOuIdentifier: unit('orderer'),
    },
  });
  return { type: 0, config };
}

function unit(organizationalUnitIdentifier: string): FabricOuIdentifier {
  return { certificate: new Uint8Array(0), organizationalUnitIdentifier };
}
