import type { Chore, CloudInstance, PlannedVolume } from '@understudy/shared';
import type { Reapply, ReapplyFacts } from './row.ts';
import { FIDELITY } from './table.ts';

const REAPPLIED = FIDELITY.flatMap((row) => row.reapply ?? []);

const ofStep = <S extends Reapply['step']>(step: S) =>
  REAPPLIED.filter((one): one is Extract<Reapply, { readonly step: S }> => one.step === step);

/** What the rows have put back on a replacement that serves already. */
export const reappliedBy = (facts: ReapplyFacts): readonly Chore[] =>
  ofStep('done').flatMap((one) => one.chores(facts));

/** Devices of the replacement whose disks have to be kept, before it may serve. */
export const disksToKeepOn = (
  volumes: readonly PlannedVolume[],
  replacement: Pick<CloudInstance, 'volumes'>,
): readonly string[] => ofStep('verify').flatMap((one) => one.disksToKeep(volumes, replacement));
