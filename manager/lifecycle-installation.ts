import { Fault, emptyBytes, limits } from '#base';
import {
  GetInstalledChaincodePackageArgs,
  GetInstalledChaincodePackageResult,
  InstallChaincodeArgs,
  InstallChaincodeResult,
  QueryInstalledChaincodeArgs,
  QueryInstalledChaincodeResult,
  QueryInstalledChaincodesResult,
  lifecycleNamespace,
  parseContractPackage,
  readApprovals,
  readDefinition,
} from '#formats';
import type { InstalledReferences, Response } from '#formats';
import type { Ledger } from '#ledger';
import type { Identity } from '#policy';
import { fault } from './faults.ts';
import type { InstalledPackages } from './installed-packages.ts';

export interface InstallationSource {
  packages: InstalledPackages;
  ledger: Pick<Ledger, 'get'>;
  channel: string;
}

export interface InstallationCall {
  args: readonly Uint8Array[];
  identity: Identity;
  /** The organisation whose endpoint was called. */
  mspid: string;
}

type Answer = (mspid: string, source: InstallationSource, message: Uint8Array) => Uint8Array;

/** Whether the lifecycle's function is about packages at an endpoint, and not about the channel. */
export function isAboutInstallation(args: readonly Uint8Array[]): boolean {
  return Object.hasOwn(answers, nameOf(args));
}

/**
 * Answers what `_lifecycle` is asked about packages, with Fabric's sentences. Packages are each
 * organisation's own: its administrators install and see them.
 *
 * @see Fabric core/chaincode/lifecycle/scc.go.
 */
export function answerInstallation(call: InstallationCall, source: InstallationSource): Response {
  const { args, identity, mspid } = call;
  const name = nameOf(args);
  const [, message, ...rest] = args;
  if (message === undefined || rest.length > 0) {
    return refused(
      `lifecycle scc operations require exactly two arguments but received ${args.length}`,
    );
  }
  if (identity.mspid !== mspid || !identity.roles.admin) {
    return refused(
      'Failed to authorize invocation due to failed ACL check: Failed verifying that proposal’s creator ' +
        'satisfies local MSP principal during channelless check policy with policy [Admins]: [The identity ' +
        `is not an admin under this MSP [${mspid}]]`,
    );
  }
  const answer = answers[name] as Answer;
  try {
    return { status: 200, message: '', payload: answer(mspid, source, message) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const reason = error.detail['reason'] ?? error.message;
    return refused(`failed to invoke backing implementation of '${name}': ${reason}`);
  }
}

const install: Answer = (mspid, { packages }, message) => {
  const { chaincodeInstallPackage } = InstallChaincodeArgs.decode(message);
  // A view of the call's buffer otherwise, which is much larger.
  const bytes = chaincodeInstallPackage.slice();
  const { packageId, label } = readPackage(bytes);
  packages.install(mspid, packageId, bytes);
  return InstallChaincodeResult.encode({ packageId, label });
};

function readPackage(bytes: Uint8Array) {
  try {
    return parseContractPackage(bytes);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    const reason = `could not parse as a chaincode install package: ${cause.detail['reason']}`;
    throw new Fault(cause.code, cause.kind, cause.message, { reason }, cause);
  }
}

const queryInstalled: Answer = (mspid, source, message) => {
  const { packageId } = QueryInstalledChaincodeArgs.decode(message);
  const found = source.packages.list(mspid).find((one) => one.packageId === packageId);
  if (found === undefined)
    throw absent(`could not find chaincode with package id '${shown(packageId)}'`);
  return QueryInstalledChaincodeResult.encode({
    ...found,
    references: referencesOf(mspid, packageId, source),
  });
};

const queryAllInstalled: Answer = (mspid, source) =>
  QueryInstalledChaincodesResult.encode({
    installedChaincodes: source.packages.list(mspid).map((one) => ({
      ...one,
      references: referencesOf(mspid, one.packageId, source),
    })),
  });

const getPackage: Answer = (mspid, { packages }, message) => {
  const { packageId } = GetInstalledChaincodePackageArgs.decode(message);
  const bytes = packages.load(mspid, packageId);
  if (bytes === undefined) {
    throw absent(
      `could not load cc install package: chaincode install package '${shown(packageId)}' not found`,
    );
  }
  return GetInstalledChaincodePackageResult.encode({ chaincodeInstallPackage: bytes });
};

/** The contracts in force for which the organisation approved this package. */
function referencesOf(
  mspid: string,
  packageId: string,
  { ledger, channel }: InstallationSource,
): Map<string, InstalledReferences> {
  const get = (key: string) => ledger.get(lifecycleNamespace, key)?.value;
  const approved = readApprovals(mspid, get)?.contracts ?? [];
  const chaincodes = approved
    .filter((one) => one.packageId === packageId)
    .filter(({ name, sequence }) => readDefinition(name, get)?.sequence === sequence)
    .map(({ name, version }) => ({ name, version }));
  return chaincodes.length === 0 ? new Map() : new Map([[channel, { chaincodes }]]);
}

const answers: Readonly<Record<string, Answer>> = {
  InstallChaincode: install,
  QueryInstalledChaincode: queryInstalled,
  QueryInstalledChaincodes: queryAllInstalled,
  GetInstalledChaincodePackage: getPackage,
};

function nameOf(args: readonly Uint8Array[]): string {
  return Buffer.from((args[0] ?? emptyBytes).subarray(0, limits.nameBytes)).toString('utf8');
}

/** As much of a caller's text as can be right. */
function shown(packageId: string): string {
  return packageId.slice(0, limits.packageIdBytesMax);
}

function absent(reason: string): Fault {
  return fault('MANAGER_PACKAGE_ABSENT', { reason });
}

function refused(message: string): Response {
  return { status: 500, message, payload: emptyBytes };
}
