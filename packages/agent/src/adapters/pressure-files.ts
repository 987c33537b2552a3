import { existsSync, readFileSync } from 'node:fs';
import type { PressureSource } from '../checks/pressure.ts';
import { parsePressure } from '../checks/proc-parsers.ts';

const FOLDER = '/proc/pressure';

/**
 * Null where the kernel keeps no account of pressure (built without PSI, or started without `psi=1`
 * where that is the default). It is memory, and read without the thread pool, as the mounts are.
 */
export function pressureFiles(folder = FOLDER): PressureSource | null {
  if (!existsSync(`${folder}/cpu`)) return null;
  const read = async (what: string) => parsePressure(readFileSync(`${folder}/${what}`, 'utf8'));
  return { cpu: () => read('cpu'), memory: () => read('memory') };
}
