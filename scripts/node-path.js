import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectDir = dirname(dirname(fileURLToPath(import.meta.url)));
export const binDir = join(projectDir, 'node_modules', '.bin');

/** The first Node.js that runs TypeScript sources as they are, without a flag or a warning. */
export const nodeMajorMin = 24;

/**
 * The Node.js that runs the project's sources: the one installed with the project, so that every
 * machine runs the same; else the one running now.
 *
 * @returns undefined when neither is there and new enough.
 */
export function nodePath() {
  const installed = join(binDir, 'node');
  if (existsSync(installed)) return installed;
  return Number(process.versions.node.split('.')[0]) >= nodeMajorMin ? process.execPath : undefined;
}

/**
 * Where Node.js keeps compiled sources, so that the many processes of a network start in half the
 * time. A variable that is set already is left as it is.
 */
export function compileCacheVariable() {
  const directory = join(projectDir, 'node_modules', '.cache', 'node-compile');
  return { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? directory };
}
