export * from './bytes.ts';
export * from './clock.ts';
export * from './config.ts';
export * from './faults.ts';
export * from './limits.ts';
export * from './link.ts';
export * from './log.ts';
export * from './queue.ts';
