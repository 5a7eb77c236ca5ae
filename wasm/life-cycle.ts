import { tracingChannel } from 'node:diagnostics_channel';

/**
 * The four steps of a contract's life as observable spans: subscribe to the tracing channels
 * `countersign.wasm.load`, `.compile`, `.instantiate` and `.call`. Without a subscriber a span costs
 * one comparison.
 */
export const lifeCycle = {
  load: span('load'),
  compile: span('compile'),
  instantiate: span('instantiate'),
  call: span('call'),
} as const;

type Span = <Value>(work: () => Value) => Value;

function span(step: string): Span {
  const channel = tracingChannel(`countersign.wasm.${step}`);
  return (work) => (channel.hasSubscribers ? channel.traceSync(work) : work());
}
