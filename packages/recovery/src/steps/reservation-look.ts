import { isOperationError, type PlacementCandidate, rawOf, textOf } from '@understudy/shared';
import { baseFor } from '../core/fidelity/carried.ts';
import { launchPlanOf } from '../core/launch-plan.ts';
import type { AttemptFailure } from '../core/launch-outcome.ts';
import { reservationMisfit, reservationNamed, reservationShortage } from '../core/reservation-fit.ts';
import type { Run } from '../run.ts';

/**
 * Why the capacity reservation that a launch at this candidate names cannot take it; null: it
 * names none, it can, or EC2 does not say.
 */
export async function unfitReservation(
  run: Run,
  candidate: PlacementCandidate,
): Promise<{ readonly failure: AttemptFailure; readonly text: string } | null> {
  const base = baseFor(launchPlanOf(run.plan).launchBase, candidate);
  const id = reservationNamed(base);
  if (id === null) return null;
  const found = await look(run, id);
  const tenancy = textOf(rawOf(rawOf(base).Placement).Tenancy);
  // The platform was compared for the plan. It is no member of a launch.
  const misfit = reservationMisfit(id, found, { ...candidate, platform: null, tenancy });
  if (misfit) return { failure: 'placement', text: misfit.text };
  const shortage = reservationShortage(id, found);
  return shortage === null ? null : { failure: 'capacity', text: shortage };
}

/** A look that fails says nothing: then the launch itself is asked. */
async function look(run: Run, id: string) {
  try {
    return await run.read((cloud, options) => cloud.describeCapacityReservation(id, options));
  } catch (error) {
    if (isOperationError(error) && (error.code === 'CLOUD_DENIED' || error.code === 'CLOUD_REJECTED')) return undefined;
    throw error;
  }
}
