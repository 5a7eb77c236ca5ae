/**
 * Lets the processes that a test starts run as they do without a test runner: tap's instrumentation,
 * which it puts into them, catches signals that Node.js ignores, so that a process dies of a file
 * size limit, and it slows their start.
 */
export function startChildrenPlainly(): void {
  const hooks = Reflect.get(globalThis, Symbol.for('process-on-spawn@*:singletonId')) as
    { unwrap(): void } | undefined;
  hooks?.unwrap();
  delete process.env['NODE_OPTIONS'];
}

/** What a process that gets no environment still gets: it finds compiled sources, and starts sooner. */
export function compileCache(): Record<string, string> {
  const directory = process.env['NODE_COMPILE_CACHE'];
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: directory };
}
