import { durationText, type MemberReadiness, type ObjectiveMiss, type Objectives } from '@understudy/shared';

type Predicted = Pick<MemberReadiness, 'rtoMs' | 'rpoMs' | 'rpoDisksLostMs' | 'losesEverythingWithDisks'>;

const RTO_REMEDY =
  'choose a faster way or path (recover.ladder, recover.volumes), or prepare while it is suspect (docs/prepare.md); or correct the objective';
const RPO_REMEDY = 'take snapshots of its disks more often; or correct the objective';

/** Where what is predicted misses what the policy wants. What is not known misses nothing. Pure. */
export function missedObjectives(
  { rtoMs: wantedRtoMs, rpoMs: wantedRpoMs }: Objectives,
  { rtoMs, rpoMs, rpoDisksLostMs, losesEverythingWithDisks }: Predicted,
): readonly ObjectiveMiss[] {
  const missed: ObjectiveMiss[] = [];
  if (wantedRtoMs !== undefined && rtoMs !== null && rtoMs > wantedRtoMs) {
    const text = `back ${durationText(rtoMs)} after a failure on a bad day, wanted are ${durationText(wantedRtoMs)}`;
    missed.push({ objective: 'rtoMs', wantedMs: wantedRtoMs, predictedMs: rtoMs, text, remedy: RTO_REMEDY });
  }
  if (wantedRpoMs === undefined) return missed;
  const miss = (predictedMs: number | null, text: string) =>
    missed.push({ objective: 'rpoMs', wantedMs: wantedRpoMs, predictedMs, text, remedy: RPO_REMEDY });
  const wanted = `wanted are ${durationText(wantedRpoMs)}`;
  if (rpoMs !== null && rpoMs > wantedRpoMs) miss(rpoMs, `its plan loses the last ${durationText(rpoMs)}, ${wanted}`);
  else if (losesEverythingWithDisks)
    miss(null, `with its disks everything is lost: a disk has no complete snapshot, ${wanted}`);
  else if (rpoDisksLostMs !== null && rpoDisksLostMs > wantedRpoMs)
    miss(rpoDisksLostMs, `with its disks the last ${durationText(rpoDisksLostMs)} are lost, ${wanted}`);
  return missed;
}
