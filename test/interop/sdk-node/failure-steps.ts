import { failureOf } from './steps.ts';
import type { Step } from './steps.ts';

export const failureSteps: Readonly<Record<string, Step>> = {
  'evaluate refused': ({ contract, keyOf }) =>
    failureOf(contract.evaluateTransaction('read', keyOf('absent'))),

  'endorse refused': ({ contract, keyOf }) =>
    failureOf(contract.submitTransaction('create', keyOf('a'), 'again')),

  'unknown organisation': ({ contract, keyOf }) =>
    failureOf(
      contract.submit('create', {
        arguments: [keyOf('z'), 'value z'],
        endorsingOrganizations: ['NoneMSP'],
      }),
    ),

  'unknown contract': ({ network, keyOf }) =>
    codeOf(network.getContract('none').submitTransaction('create', keyOf('z'), 'value z')),

  'unknown channel': ({ gateway, profile, keyOf }) =>
    codeOf(
      gateway
        .getNetwork('none')
        .getContract(profile.contract)
        .submitTransaction('create', keyOf('z'), 'value z'),
    ),
};

/** Without details, whose sentences are each network's own. */
async function codeOf(call: Promise<unknown>): Promise<Record<string, unknown>> {
  const { error, code } = await failureOf(call);
  return { error, code };
}
