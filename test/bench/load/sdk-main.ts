import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, signers } from '@hyperledger/fabric-gateway';
import { runLoadProgram, valueOf } from './load-program.ts';

/** Load from the unmodified Node SDK: endorse, submit and commit status of each transaction. */
runLoadProgram((profile, { transactions, run }) => {
  const root = readFileSync(profile.tlsRootFile);
  const client = new Client(profile.endpoint, credentials.createSsl(root));
  const gateway = connect({
    client,
    identity: { mspId: profile.mspid, credentials: readFileSync(profile.certificateFile) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(profile.keyFile))),
  });
  const contract = gateway.getNetwork(profile.channel).getContract(profile.contract);
  return Array.from({ length: transactions }, (_none, index) => async () => {
    await contract.submitTransaction('create', `${run}/${index}`, valueOf(index));
  });
});
