import { basename } from 'node:path';
import { makeRunDir } from '@understudy/local-cluster';
import { SystemClock } from '@understudy/shared/node';

const PURPOSE = 'faults';

/** Where a lab keeps everything: below the project's cache. */
export interface LabFolder {
  readonly path: string;
  /** Unique among the runs of this machine. */
  readonly runName: string;
}

export const labFolder = (path: string): LabFolder => ({ path, runName: basename(path).slice(PURPOSE.length + 1) });

/** A new folder of this process. Those of runs that were killed are removed first. */
export const makeLabFolder = (): string => makeRunDir(PURPOSE, new SystemClock().wallMs());
