import { join } from 'node:path';

/** Where everything of one token lies under its directory. */
export interface TokenFiles {
  /** What SOFTHSM2_CONF must name before the module is loaded. */
  readonly config: string;
  readonly tokens: string;
  readonly userPin: string;
  readonly soPin: string;
}

export function tokenFiles(dir: string): TokenFiles {
  return {
    config: join(dir, 'softhsm2.conf'),
    tokens: join(dir, 'tokens'),
    userPin: join(dir, 'user.pin'),
    soPin: join(dir, 'so.pin'),
  };
}
