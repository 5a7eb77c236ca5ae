/** Fabric's own Node client, as an application sets it up. */
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';
import type { Gateway } from '@hyperledger/fabric-gateway';
import type { Test } from 'tap';
import { utf8 } from '#base';
import type { TestMember } from './channel.ts';

export function sdkGateway(t: Test, port: number, member: TestMember): Gateway {
  const client = new Client(`localhost:${port}`, credentials.createInsecure());
  const gateway = connect({
    client,
    identity: { mspId: 'Org1MSP', credentials: utf8(member.pem) },
    signer: signers.newPrivateKeySigner(member.key.privateKey),
    hash: hash.sha256,
  });
  t.teardown(() => {
    gateway.close();
    client.close();
  });
  return gateway;
}
