import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkConfig, toBase64Url } from '#base';
import { fault } from './faults.ts';
import { findSoftHsmModule } from './module-path.ts';
import { tokenFiles } from './token-files.ts';
import { runTokenTask } from './token-process.ts';
import type { TokenTask } from './token-process.ts';
import { ProvisionSpec } from './token-spec.ts';
import type { ListedKey, ProvisionedKey } from './token-spec.ts';

/** A token made by {@link runProvisioning}: what a signer host's configuration needs of it. */
export interface ProvisionedToken {
  readonly module: string;
  readonly tokenLabel: string;
  /** Path for SOFTHSM2_CONF. */
  readonly softhsmConfig: string;
  readonly pinFile: string;
  readonly soPinFile: string;
  readonly keys: readonly ProvisionedKey[];
}

/**
 * Makes a SoftHSM token with P-256 pairs that were generated inside it, in its own directory with
 * its own configuration and random PINs. The directory appears whole or not at all.
 *
 * @throws BASE_CONFIG_INVALID, SOFTHSM_MODULE_MISSING, SOFTHSM_SPEC_INVALID, SOFTHSM_TOKEN_EXISTS,
 *   SOFTHSM_PROVISIONING_FAILED
 */
export async function runProvisioning(wanted: ProvisionSpec): Promise<ProvisionedToken> {
  const spec = checkConfig(ProvisionSpec, wanted, '(token)');
  const labels = new Set(spec.keys.map(({ label }) => label));
  if (labels.size < spec.keys.length) throw fault('SOFTHSM_SPEC_INVALID', { label: spec.label });
  const dir = resolve(spec.dir);
  if (holdsSomething(dir)) throw fault('SOFTHSM_TOKEN_EXISTS', { dir });
  const module = findSoftHsmModule(spec.module);
  const staging = `${dir}.new`;
  rmSync(staging, { recursive: true, force: true });
  try {
    const keys = await provisionIn(staging, spec, module);
    writeSofthsmConfig(staging, dir);
    renameSync(staging, dir);
    const { config, userPin, soPin } = tokenFiles(dir);
    const made = { module, tokenLabel: spec.label, softhsmConfig: config, keys };
    return { ...made, pinFile: userPin, soPinFile: soPin };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** @param dir made by {@link runProvisioning}. */
export async function listTokenKeys(of: {
  dir: string;
  label: string;
  module?: string;
}): Promise<readonly ListedKey[]> {
  const files = tokenFiles(resolve(of.dir));
  const module = findSoftHsmModule(of.module);
  const task = { kind: 'list' as const, module, label: of.label, userPinFile: files.userPin };
  return (await performTask(resolve(of.dir), task)) as readonly ListedKey[];
}

async function provisionIn(
  dir: string,
  spec: ProvisionSpec,
  module: string,
): Promise<readonly ProvisionedKey[]> {
  const { tokens, userPin, soPin } = tokenFiles(dir);
  mkdirSync(tokens, { recursive: true, mode: 0o700 });
  writeSofthsmConfig(dir, dir);
  for (const file of [userPin, soPin]) {
    // 24 bytes make 32 characters of base64url.
    writeFileSync(file, toBase64Url(randomBytes(24)), { mode: 0o600 });
  }
  const task = { kind: 'provision' as const, module, spec, userPinFile: userPin, soPinFile: soPin };
  return (await performTask(dir, task)) as readonly ProvisionedKey[];
}

/** Runs a task of a token's. @param dir the token's own. */
export async function performTask(dir: string, task: TokenTask): Promise<unknown> {
  // Two commands may run side by side.
  const taskFile = join(dir, `${task.kind}-${randomBytes(6).toString('hex')}.json`);
  writeFileSync(taskFile, JSON.stringify(task), { mode: 0o600 });
  try {
    return await runTokenTask(taskFile, tokenFiles(dir).config);
  } finally {
    rmSync(taskFile, { force: true });
  }
}

/** @param finalDir where the tokens will be when the configuration is read. */
function writeSofthsmConfig(dir: string, finalDir: string): void {
  const lines = [
    `directories.tokendir = ${tokenFiles(finalDir).tokens}`,
    'objectstore.backend = file',
    'log.level = ERROR',
    'slots.removable = false',
    'library.reset_on_fork = true',
  ];
  writeFileSync(tokenFiles(dir).config, `${lines.join('\n')}\n`, { mode: 0o600 });
}

function holdsSomething(dir: string): boolean {
  try {
    return readdirSync(dir).length > 0;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw fault('SOFTHSM_TOKEN_EXISTS', { dir }, cause);
  }
}
