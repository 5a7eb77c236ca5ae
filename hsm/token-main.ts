/**
 * The process that holds one token: it alone loads the PKCS#11 module, and signs digests for the
 * signer host that started it. Its descriptors are inherited, so nobody else can speak to it.
 */
import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { TokenHost } from './token-host.ts';
import { controlDescriptor } from './token-wire.ts';
import type { TokenOrder } from './token-wire.ts';

// The PIN passes through this memory; a core file of it must hold none of it, wherever the kernel
// sends core files. The mask names the kinds of memory that are dumped.
// @see core(5), "Controlling which mappings are written to the core dump"
writeFileSync('/proc/self/coredump_filter', '0');

const control = new Socket({ fd: controlDescriptor, readable: true, writable: true });
const host = new TokenHost();

const lines = createInterface({ input: control });
lines.on('line', (line) => {
  const { id, ...order } = JSON.parse(line) as TokenOrder & { id: number };
  void host.perform(order as TokenOrder).then((reply) => {
    control.write(`${JSON.stringify({ id, ...reply })}\n`);
    if (order.do === 'close') process.exit(0);
  });
});
// The signer host is gone. A thread may hang in the module, so nothing is waited for.
const end = () => process.kill(process.pid, 'SIGKILL');
control.on('close', end);
control.on('error', end);
lines.on('error', end);
