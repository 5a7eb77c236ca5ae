import { limits } from '#base';
import { isJoseAlgorithm } from '#crypto';
import { Block } from '#formats';
import { verifyReceipt } from '#peer';
import { countOption, dirOption, textOption } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { auditCommands } from './audit-commands.ts';
import { ceremonyCommands } from './ceremony-commands.ts';
import { sayAnswer, sayJson, word } from './command.ts';
import type { Command } from './command.ts';
import { admitIdentity, listClients, newClient, revokeClient } from './clients.ts';
import { approveContract, commitContract, contractCode, deployContract } from './deploy.ts';
import type { Deployment } from './deploy.ts';
import { fault } from './faults.ts';
import { parseGrant } from './grant-text.ts';
import { keyCommands } from './key-commands.ts';
import { readNamed } from './named-file.ts';
import { createNetwork } from './network-create.ts';
import { guardCommands } from './guard-commands.ts';
import { orderCommands } from './order-commands.ts';
import { openNetwork, serviceOf } from './network-open.ts';
import { defaultNetwork, identityNames } from './network-spec.ts';
import type { NetworkSpec } from './network-spec.ts';
import { postRequest } from './post-request.ts';
import { runForeground, runOne } from './run-foreground.ts';

/** A definition's sequence is written with ten digits at most. */
const sequenceMax = 9_999_999_999;
const definitionForm = '[--version V] [--sequence N] [--policy TEXT]';
const algorithms = 'ES256, ES384, ES256K, EdDSA, RS256, PS256, SM2';

/** All commands by their words. */
export const commands = new Map<string, Command>([
  [
    'network create',
    {
      form: '[--dir DIR] [--mode partitioned|replicated|ordered] [--requests-per-bundle N]',
      purpose: 'make tokens, keys, certificates, the genesis block and all configuration files',
      run: async (given, say) => {
        const layout = await createNetwork(dirOption(given), networkSpec(given));
        say(`network made in ${layout.dir}`);
      },
    },
  ],
  [
    'up',
    {
      form: '[--dir DIR]',
      purpose: 'start all processes of the network; Ctrl-C stops them',
      run: (given, say) => runForeground(dirOption(given), say),
    },
  ],
  [
    'client new',
    {
      form: 'NAME --grant CHANNEL/CONTRACT/FUNCTION[,…] [--org ORG] [--alg ALG] [--dir DIR]',
      purpose: `make a client and put it on the whitelist; ALG is one of ${algorithms}`,
      run: async (given, say) => {
        const algorithm = textOption(given, 'alg');
        if (!isJoseAlgorithm(algorithm)) throw fault('CLI_USAGE_WRONG', { alg: algorithm });
        await newClient(dirOption(given), {
          kid: word(given, 0, 'NAME'),
          orgName: textOption(given, 'org'),
          algorithm,
          nodeOu: 'client',
          grants: textOption(given, 'grant').split(',').map(parseGrant),
        });
        say(`client ${word(given, 0, 'NAME')} made`);
      },
    },
  ],
  [
    'client admit',
    {
      form: 'NAME --grant CHANNEL/CONTRACT/FUNCTION[,…] [--dir DIR]',
      purpose: 'put an identity that exists, such as admin@org1, on the whitelist',
      run: (given, say) => {
        const grants = textOption(given, 'grant').split(',').map(parseGrant);
        admitIdentity(dirOption(given), word(given, 0, 'NAME'), grants);
        say(`client ${word(given, 0, 'NAME')} admitted`);
      },
    },
  ],
  [
    'client list',
    {
      form: '[--dir DIR]',
      purpose: 'show the whitelist',
      run: (given, say) => {
        for (const { kid, status, grants } of listClients(dirOption(given))) {
          say(`${kid}  ${status}  ${JSON.stringify(grants)}`);
        }
      },
    },
  ],
  [
    'client revoke',
    {
      form: 'NAME [--dir DIR]',
      purpose: 'strike a client off the whitelist',
      run: (given, say) => {
        revokeClient(dirOption(given), word(given, 0, 'NAME'));
        say(`client ${word(given, 0, 'NAME')} revoked`);
      },
    },
  ],
  [
    'request',
    {
      form: 'FUNCTION [ARG…] --client NAME --contract CONTRACT [--dir DIR]',
      purpose: 'sign and post one request, print the answer',
      run: async (given, say) => {
        const answer = await postRequest({
          dir: dirOption(given),
          kid: textOption(given, 'client'),
          contract: textOption(given, 'contract'),
          operations: [{ function: word(given, 0, 'FUNCTION'), args: given.words.slice(1) }],
        });
        return sayAnswer(say, answer);
      },
    },
  ],
  [
    'block show',
    {
      form: 'NUMBER [--dir DIR]',
      purpose: 'show one block of the manager’s ledger',
      run: async (given, say) => {
        const service = serviceOf(openNetwork(dirOption(given)));
        const number = encodeURIComponent(word(given, 0, 'NUMBER'));
        return sayAnswer(say, await service.get(`/v1/blocks/${number}`));
      },
    },
  ],
  [
    'receipt verify',
    {
      form: 'FILE --genesis FILE',
      purpose: 'verify a receipt offline, trusting nothing but the genesis block',
      run: (given, say) => {
        const genesis = Block.decode(readNamed(textOption(given, 'genesis')));
        sayJson(say, verifyReceipt(readNamed(word(given, 0, 'FILE')), { genesis }));
      },
    },
  ],
  [
    'peer',
    {
      form: 'CONFIG.json',
      purpose: 'run one validate-only peer',
      run: (given) => runOne('peer', word(given, 0, 'CONFIG.json')),
    },
  ],
  ...keyCommands,
  ...orderCommands,
  ...auditCommands,
  ...guardCommands,
  ...ceremonyCommands,
  [
    'contract approve',
    {
      form: `NAME CODE ${definitionForm} [--org ORG] [--dir DIR]`,
      purpose: 'approve a contract (a .wasm file or a built-in name) as an organisation’s admin',
      run: async (given, say) => {
        const kid = identityNames.admin(textOption(given, 'org'));
        const deployment = await deploymentOf(given);
        return sayAnswer(say, await approveContract(dirOption(given), kid, deployment));
      },
    },
  ],
  [
    'contract commit',
    {
      form: `NAME CODE ${definitionForm} [--org ORG] [--dir DIR]`,
      purpose: 'put a contract in force that enough organisations have approved',
      run: async (given, say) => {
        const kid = identityNames.admin(textOption(given, 'org'));
        const deployment = await deploymentOf(given);
        return sayAnswer(say, await commitContract(dirOption(given), kid, deployment));
      },
    },
  ],
  [
    'contract deploy',
    {
      form: `NAME CODE ${definitionForm} [--dir DIR]`,
      purpose: 'approve a contract as every organisation’s admin, then commit it',
      run: async (given, say) => {
        const dir = dirOption(given);
        const deployment = await deploymentOf(given);
        const { organisations } = openNetwork(dir).spec;
        const kids = organisations.map(({ name }) => identityNames.admin(name));
        return sayAnswer(say, await deployContract(dir, kids, deployment));
      },
    },
  ],
]);

export function usage(): string {
  const rows = [...commands].map(
    ([words, { form, purpose }]) => `  countersign ${words} ${form}\n      ${purpose}\n`,
  );
  return `Usage:\n${rows.join('')}`;
}

async function deploymentOf(given: Arguments): Promise<Deployment> {
  return {
    name: word(given, 0, 'NAME'),
    version: textOption(given, 'version'),
    sequence: countOption(given, 'sequence', sequenceMax),
    policy: textOption(given, 'policy'),
    code: await contractCode(word(given, 1, 'CODE')),
  };
}

function networkSpec(given: Arguments): NetworkSpec {
  const mode = given.options['mode'] ?? defaultNetwork.routing;
  if (mode !== 'partitioned' && mode !== 'replicated' && mode !== 'ordered') {
    throw fault('CLI_USAGE_WRONG', { mode: String(mode) });
  }
  const requestsPerBundleMax =
    given.options['requests-per-bundle'] === undefined
      ? defaultNetwork.requestsPerBundleMax
      : countOption(given, 'requests-per-bundle', limits.bundleRequestsMax);
  return { ...defaultNetwork, routing: mode, requestsPerBundleMax };
}
