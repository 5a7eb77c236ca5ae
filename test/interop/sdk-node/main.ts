import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { signers } from '@hyperledger/fabric-gateway';
import type { ClientProfile } from '../client-profile.ts';
import { sdkClient } from '../sdk-client.ts';
import { eventSteps } from './event-steps.ts';
import { failureSteps } from './failure-steps.ts';
import type { Application } from './steps.ts';
import { transactionSteps } from './transaction-steps.ts';

/** `node main.ts PROFILE.json RUN`: an application on Fabric's Node SDK; prints one JSON line per step. */
const [profileFile = '', run = ''] = process.argv.slice(2);
const profile = JSON.parse(readFileSync(profileFile, 'utf8')) as ClientProfile;
using client = sdkClient(profile);
const { gateway, keyless } = client;
const network = gateway.getNetwork(profile.channel);
const application: Application = {
  keyOf: (name) => `${run}/${name}`,
  profile,
  gateway,
  keyless,
  network,
  contract: network.getContract(profile.contract),
  signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(profile.keyFile))),
};
for (const steps of [transactionSteps, eventSteps, failureSteps]) {
  for (const [step, work] of Object.entries(steps)) {
    process.stdout.write(`${JSON.stringify({ step, ...(await work(application)) })}\n`);
  }
}
