import { codeName, textOf } from './steps.ts';
import type { Application, Step } from './steps.ts';

export const transactionSteps: Readonly<Record<string, Step>> = {
  submit: async ({ contract, keyOf }) => {
    const result = await contract.submitTransaction('create', keyOf('a'), 'value a');
    return { result: textOf(result) };
  },

  evaluate: async ({ contract, keyOf }) => {
    return { result: textOf(await contract.evaluateTransaction('read', keyOf('a'))) };
  },

  asynchronous: async ({ contract, keyOf }) => {
    const submitted = await contract.submitAsync('create', { arguments: [keyOf('b'), 'value b'] });
    const { code, successful } = await submitted.getStatus();
    return { result: textOf(submitted.getResult()), code: codeName(code), successful };
  },

  offline: async (application) => {
    const { keyless, keyOf, profile, signer } = application;
    const contract = keyless.getNetwork(profile.channel).getContract(profile.contract);
    const unsigned = contract.newProposal('create', { arguments: [keyOf('c'), 'value c'] });
    const proposal = keyless.newSignedProposal(
      unsigned.getBytes(),
      await signer(unsigned.getDigest()),
    );
    const endorsed = await proposal.endorse();
    const transaction = keyless.newSignedTransaction(
      endorsed.getBytes(),
      await signer(endorsed.getDigest()),
    );
    const submitted = await transaction.submit();
    const commit = keyless.newSignedCommit(
      submitted.getBytes(),
      await signer(submitted.getDigest()),
    );
    const { code, transactionId } = await commit.getStatus();
    return {
      result: textOf(transaction.getResult()),
      code: codeName(code),
      sameTransaction: transactionId === unsigned.getTransactionId(),
    };
  },

  resubmit: async ({ contract, keyOf }) => {
    const proposal = contract.newProposal('create', { arguments: [keyOf('d'), 'value d'] });
    const transaction = await proposal.endorse();
    const first = await (await transaction.submit()).getStatus();
    const second = await (await transaction.submit()).getStatus();
    return {
      codes: [codeName(first.code), codeName(second.code)],
      sameBlock: first.blockNumber === second.blockNumber,
    };
  },

  organisations: async ({ contract, keyOf }) => {
    const result = await contract.submit('create', {
      arguments: [keyOf('e'), 'value e'],
      endorsingOrganizations: ['Org1MSP', 'Org2MSP'],
    });
    return { result: textOf(result) };
  },

  'too few organisations': async (application) => {
    const options = { endorsingOrganizations: ['Org1MSP'] };
    return codeOf(application, 'f', options);
  },

  transient: async (application) => {
    return codeOf(application, 'g', { transientData: { secret: 'kept from the ledger' } });
  },

  conflict: async ({ contract, keyOf }) => {
    const twice = { arguments: [keyOf('h'), 'value h'] };
    const proposals = [
      contract.newProposal('create', twice),
      contract.newProposal('create', twice),
    ];
    const transactions = [];
    for (const proposal of proposals) transactions.push(await proposal.endorse());
    const codes = [];
    for (const transaction of transactions) {
      const { code } = await (await transaction.submit()).getStatus();
      codes.push(codeName(code));
    }
    return { codes };
  },
};

async function codeOf(
  { contract, keyOf }: Application,
  key: string,
  options: { endorsingOrganizations?: string[]; transientData?: Record<string, string> },
): Promise<Record<string, unknown>> {
  const create = { arguments: [keyOf(key), `value ${key}`], ...options };
  const submitted = await contract.submitAsync('create', create);
  const { code, successful } = await submitted.getStatus();
  return { code: codeName(code), successful };
}
