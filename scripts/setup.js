import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { nodeMajorMin, nodePath, projectDir } from './node-path.js';

// Makes a fresh clone ready to run; says and does nothing when it is. Plain JavaScript without any
// dependency, for the Node.js (18 or later) that the machine happens to have.
// With --for-tests also what only tests use; without it they still run, and say what they leave out.

const nodeModules = join(projectDir, 'node_modules');
const stampFile = join(nodeModules, '.countersign-ready');
/** Tools were looked for: a machine that cannot have them is not asked each time. */
const toolsFile = join(nodeModules, '.countersign-test-tools');

const stale = packagesAreStale();
installSystemPackages(stale);
if (stale) installNodePackages();
if (process.argv.includes('--for-tests') && !existsSync(toolsFile)) installTestTools();
proveRuntime();

function installSystemPackages(compiles) {
  const missing = hasSoftHsm() ? [] : ['softhsm2'];
  if (compiles) {
    // pkcs11js has no prebuilt addon: node-gyp compiles it.
    if (!onPath('python3')) missing.push('python3');
    if (!onPath('make')) missing.push('make');
    if (!onPath('g++') && !onPath('clang++')) missing.push('g++');
  }
  if (missing.length === 0) return;
  if (!mayInstall()) stop(adviceFor(missing));
  if (!aptInstall(missing)) {
    stop(`apt-get could not install ${missing.join(', ')}. ${adviceFor(missing)}`);
  }
}

function installTestTools() {
  const commands = { strace: 'strace', gcore: 'gdb', swtpm: 'swtpm', tpm2_nvread: 'tpm2-tools' };
  const missing = Object.keys(commands).filter((command) => !onPath(command));
  const names = missing.map((command) => commands[command]);
  if (!hasTpmModule()) names.push('libtpm2-pkcs11-1');
  if (names.length > 0 && !(mayInstall() && aptInstall(names))) {
    say(`without ${names.join(', ')} the tests leave out what needs them, and say so`);
  }
  writeFileSync(toolsFile, '');
}

function isRoot() {
  return process.getuid?.() === 0;
}

function mayInstall() {
  return onPath('apt-get') && (isRoot() || onPath('sudo'));
}

function aptInstall(names) {
  say(`installing ${names.join(', ')} with apt-get`);
  const apt = (...args) => {
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-y', ...args];
    if (!isRoot()) command.unshift('sudo', ...(process.stdin.isTTY ? [] : ['-n']));
    return run(command);
  };
  const install = () => apt('install', '--no-install-recommends', ...names);
  // The package lists of a fresh machine are empty or old; of any other they are good enough.
  return install() || (apt('update') && install());
}

function hasTpmModule() {
  return ['x86_64', 'aarch64'].some((machine) =>
    existsSync(`/usr/lib/${machine}-linux-gnu/pkcs11/libtpm2_pkcs11.so`),
  );
}

function hasSoftHsm() {
  const libraries = [
    '/usr/lib/softhsm/libsofthsm2.so',
    '/usr/lib64/softhsm/libsofthsm2.so',
    '/usr/lib64/pkcs11/libsofthsm2.so',
    '/usr/local/lib/softhsm/libsofthsm2.so',
    '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  ];
  return onPath('softhsm2-util') && libraries.some((file) => existsSync(file));
}

function adviceFor(missing) {
  const names = missing.map((name) => (name === 'softhsm2' ? 'SoftHSM 2' : name)).join(', ');
  return (
    `Please install ${names}: "sudo apt-get install ${missing.join(' ')}" on Debian and Ubuntu, ` +
    `the package "softhsm" on Fedora, Arch and Homebrew. Then run the command again.`
  );
}

/** Compares what is installed with the lock file, entry by entry: times of files say nothing here. */
function packagesAreStale() {
  const wanted = packagesIn(join(projectDir, 'package-lock.json')) ?? {};
  const installed = packagesIn(join(nodeModules, '.package-lock.json'));
  if (installed === undefined) return true;
  return Object.entries(wanted).some(([path, entry]) => {
    if (path === '') return false;
    const found = installed[path];
    if (found === undefined) return !entry.optional;
    return found.version !== entry.version || found.integrity !== entry.integrity;
  });
}

function packagesIn(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function installNodePackages() {
  say('installing the Node.js packages');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // "npm ci" demands that the lock file lists the prebuilt packages of every platform, and a lock file
  // written where a registry serves only some of them does not; "npm install" takes the same versions.
  const options = ['--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!run([npm, 'install', ...options])) stop('npm install failed; what it printed says why.');
}

/** Once per installation: the right Node.js starts, and the compiled packages load in it. */
function proveRuntime() {
  const node = nodePath();
  if (node === undefined) {
    stop(
      `Node.js ${nodeMajorMin} or later is needed, and npm has no build of it for this machine.`,
    );
  }
  const stamp = `${node} ${readFileSync(join(nodeModules, '.package-lock.json')).length}\n`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? '';
  if (!(Number(version.slice(1).split('.')[0]) >= nodeMajorMin)) {
    stop(
      `${node} does not start or is older than ${nodeMajorMin}. Install Node.js ${nodeMajorMin} yourself ` +
        'and remove node_modules/.bin/node.',
    );
  }
  for (const addon of ['pkcs11js', 'lmdb']) {
    const { status, stderr } = spawnSync(node, ['-e', `require('${addon}')`], {
      cwd: projectDir,
      encoding: 'utf8',
    });
    if (status === 0) continue;
    const reason = stderr.split('\n').find((line) => line.includes('Error')) ?? `exit ${status}`;
    stop(
      `The compiled package ${addon} does not load (${reason.trim()}). A C++ compiler, make and ` +
        `python3 must be installed, and npm must be allowed to run its install script; then: ` +
        `npm rebuild ${addon}`,
    );
  }
  buildTestClass(node);
  writeFileSync(stampFile, stamp);
}

/**
 * tap makes its test class from the plugins that .taprc names. Left to itself it does so in the middle
 * of the first run, whose test files then still go through the plugin that was taken out.
 */
function buildTestClass(node) {
  const tap = join(nodeModules, 'tap', 'dist', 'esm', 'run.mjs');
  if (!run([node, tap, 'build'], 'ignore')) stop('tap could not build its test class.');
}

function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, name)));
}

function run([command, ...args], output = 'inherit') {
  // npm and apt-get may print to standard output, which belongs to the command that set-up precedes.
  const stdio = ['inherit', output === 'inherit' ? process.stderr : 'ignore', 'inherit'];
  return spawnSync(command, args, { cwd: projectDir, stdio }).status === 0;
}

function say(text) {
  console.error(`set-up: ${text}`);
}

function stop(text) {
  console.error(`set-up: ${text}`);
  process.exit(1);
}
