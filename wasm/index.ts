export { abiVersion, hostFunctions, hostModule } from './abi.ts';
export { buildContract, builtInContract, keptContract } from './build.ts';
export type { HostInterface } from './host.ts';
export { instantiate } from './instance.ts';
export type { ContractInstance, InvokeOutcome } from './instance.ts';
export { prepareContract } from './prepare.ts';
export type { PreparedContract } from './prepare.ts';
