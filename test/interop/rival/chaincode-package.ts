import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A package that tells the peer where the chaincode already runs. */
export async function chaincodePackage(
  dir: string,
  label: string,
  address: string,
): Promise<{ file: string; id: string }> {
  await mkdir(dir, { recursive: true });
  const connection = { address, dial_timeout: '10s', tls_required: false };
  await writeFile(join(dir, 'connection.json'), JSON.stringify(connection));
  await writeFile(join(dir, 'metadata.json'), JSON.stringify({ type: 'ccaas', label }));
  await execute('tar', ['czf', 'code.tar.gz', 'connection.json'], { cwd: dir });
  await execute('tar', ['czf', 'package.tgz', 'metadata.json', 'code.tar.gz'], { cwd: dir });
  const file = join(dir, 'package.tgz');
  const digest = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return { file, id: `${label}:${digest}` };
}

const scripts = {
  detect: 'grep -q \'"type":"ccaas"\' "$2/metadata.json"',
  build: 'cp "$1/connection.json" "$3/"',
  release: 'mkdir -p "$2/chaincode/server" && cp "$1/connection.json" "$2/chaincode/server/"',
} as const;

/** Writes the external builder with which a peer takes such packages; returns its directory. */
export async function chaincodeBuilder(dir: string): Promise<string> {
  await mkdir(join(dir, 'bin'), { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    const file = join(dir, 'bin', name);
    await writeFile(file, `#!/bin/sh\nset -eu\n${script}\n`);
    await chmod(file, 0o755);
  }
  return dir;
}
