import { BenchScope } from '../hsm/signing-load.ts';
import { outageFigures, outages } from '../hsm/token-outages.ts';
import type { Figure } from './figure.ts';

const outageSeconds = 30;

/** A token that fails, hangs or is gone for half a minute under load: what its callers meet. */
export async function claim(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const outage of outages) {
    await using scope = new BenchScope();
    const seen = await outageFigures(scope, outage, outageSeconds);
    if (seen.otherwise.length > 0) throw new Error(`answered with ${seen.otherwise.join(', ')}`);
    const name = outage.replaceAll(' ', '_');
    const conditions = `the token ${outage} for ${outageSeconds} s; 8 callers, 4 endorsements a call, over the signer host's socket`;
    const figure = (what: string, value: number, unit: string) => {
      figures.push({ figure: `${name}_${what}`, value, unit, conditions });
    };
    figure('calls_served', seen.served, 'calls');
    figure('calls_refused', seen.refused, 'calls');
    figure('refusal_ms_p99', seen.refusedMsP99, 'ms');
    figure('refusal_ms_max', seen.refusedMsMax, 'ms');
    figure('back_after_ms', seen.backMs, 'ms');
    figure('sessions_poisoned', Number(seen.poisoned), 'sessions');
  }
  return figures;
}
