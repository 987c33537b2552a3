import type { PlannedVolume } from '@understudy/shared';
import type { Run } from './run.ts';

/** The disks the replacement gets: those of the plan, and those that were attached after it was made and captured with them. Empty additions before the capture. */
export function volumesOf(run: Run): readonly PlannedVolume[] {
  return run.plan.volumes;
}
