import { silentLog, toHex } from '#base';
import type { PublicKey } from '#crypto';
import { TokenSigner } from '../../hsm/token-signer.ts';
import { TokenSupervisor } from '../../hsm/token-supervisor.ts';
import type { TokenSupervisorOptions } from '../../hsm/token-supervisor.ts';
import { faultShim } from '../support/fault-shim.ts';
import type { FaultShim, ShimControl } from '../support/fault-shim.ts';
import { compileCache, startChildrenPlainly } from '../support/plain-children.ts';
import type { TestToken } from '../support/softhsm.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';

startChildrenPlainly();

/** A token behind the fault shim, and what signs with it. */
export interface ShimmedToken {
  readonly control: ShimControl;
  readonly tokens: TokenSupervisor;
  readonly signer: TokenSigner;
  publicKeyOf(label: string): PublicKey;
}

export interface ShimmedOptions {
  readonly processes?: number;
  readonly sessions?: number;
  readonly shim?: FaultShim;
  readonly pinFile?: string;
  readonly keys?: readonly string[];
  readonly bounds?: TokenSupervisorOptions['bounds'];
  /** What is done before anything is signed; nothing if it is not told. */
  readonly record?: ConstructorParameters<typeof TokenSigner>[2];
}

/** Opens it for one test; what is left of its processes goes with the test. */
export async function openShimmed(
  t: TestScope,
  token: TestToken,
  options: ShimmedOptions = {},
): Promise<ShimmedToken> {
  const { processes = 1, sessions = 1, shim = faultShim(t, token.module) } = options;
  const keys = [...token.certificateOf]
    .filter(([label]) => options.keys?.includes(label) ?? true)
    .map(([label, { certificate }]) => ({ label, publicKey: certificate.publicKey }));
  const place = {
    module: shim.module,
    tokenLabel: token.tokenLabel,
    pinFile: options.pinFile ?? token.pinFile,
    stateDir: temporaryDir(t),
    keys: keys.map(({ label, publicKey }) => ({ label, spkiHex: toHex(publicKey.spki) })),
    sessions,
  };
  const environment = {
    ...compileCache(),
    SOFTHSM2_CONF: token.softhsmConfig,
    ...shim.moduleEnvironment,
  };
  // A machine under load starts processes slowly, and no outcome may depend on it.
  const bounds = {
    takeoverWaitMsMax: 30_000,
    tokenRefusalWaitMs: 100,
    ...options.bounds,
  };
  const log = silentLog;
  const tokens = await TokenSupervisor.open({ place, processes, environment, log, bounds });
  t.teardown(async () => {
    // What hangs must not be waited for.
    shim.control.heal();
    await tokens.close();
  });
  return {
    control: shim.control,
    tokens,
    signer: new TokenSigner(tokens, keys, options.record ?? (async () => {})),
    publicKeyOf: (label) => {
      const key = keys.find((one) => one.label === label);
      if (key === undefined) throw new TypeError(label);
      return key.publicKey;
    },
  };
}
