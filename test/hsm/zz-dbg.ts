import { BenchScope, slowRate, softwareRate } from './signing-load.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { faultShim } from '../support/fault-shim.ts';
await using scope = new BenchScope();
const token = await temporaryToken(scope, { keys: [{ label: 'node', role: 'node' }] });
const { module, moduleEnvironment, control } = faultShim(scope, token.module);
const t0 = performance.now();
const host = await startSigner(scope, token, { module, moduleEnvironment, sessions: 32 });
console.log('serves', performance.now()-t0);
for (let i=0;i<20;i++){ const r = await host.client.report(); console.log((performance.now()-t0).toFixed(0), r.breaker, r.gauges.map(g=>`${g.name}=${g.value}`).join(' ')); await new Promise(s=>setTimeout(s,300)); if (r.gauges.some(g=>g.name==='sessions'&&g.value===32n)) break; }
await host.stop();
console.log(JSON.stringify(await softwareRate(scope,1,2)));
console.log(JSON.stringify(await softwareRate(scope,2,2)));
