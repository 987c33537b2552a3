import type { Run } from './run.ts';
import { placeArtefacts } from './steps/reserve-record.ts';
import type { Artefact } from './strategy.ts';

/**
 * What a recovery has made and nobody needs once it is over, whatever its way and its end: also
 * what was made before it was begun, of which its strategy knows nothing.
 */
export const artefactsOf = (
  run: Pick<Run, 'strategy' | 'seams' | 'plan' | 'journal' | 'record'>,
): readonly Artefact[] => [...run.strategy.artefacts(run, run.seams), ...placeArtefacts(run)];
