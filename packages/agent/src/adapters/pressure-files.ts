import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PressureSource } from '../checks/pressure.ts';
import { parsePressure } from '../checks/proc-parsers.ts';

const FOLDER = '/proc/pressure';

/**
 * Null where the kernel keeps no account of pressure (built without PSI, or started without `psi=1`
 * where that is the default).
 */
export function pressureFiles(folder = FOLDER): PressureSource | null {
  if (!existsSync(`${folder}/cpu`)) return null;
  const read = async (what: string) => parsePressure(await readFile(`${folder}/${what}`, 'utf8'));
  return { cpu: () => read('cpu'), memory: () => read('memory') };
}
