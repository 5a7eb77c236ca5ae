import { sdkClient } from '../../interop/sdk-client.ts';
import { runLoadProgram, valueOf } from './load-program.ts';

/** Load from the unmodified Node SDK: endorse, submit and commit status of each transaction. */
runLoadProgram((profile, { transactions, run }) => {
  const { gateway } = sdkClient(profile);
  const contract = gateway.getNetwork(profile.channel).getContract(profile.contract);
  return Array.from({ length: transactions }, (_none, index) => async () => {
    await contract.submitTransaction('create', `${run}/${index}`, valueOf(index));
  });
});
