import { type Cloud, type CloudCallOptions, hasCode, isOperationError, OperationError } from '@understudy/shared';
import { isLiveReservation } from '../core/reservation-fit.ts';
import type { Call } from '../effect.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import type { Run } from '../run.ts';
import { isPlaceOpen, RESERVATION, RESERVE, reservedIn } from './reserve-record.ts';
import { reservedFor } from './reserve.ts';

interface Cancelling {
  readonly kind: 'act';
  readonly calls: readonly [Call, ...Call[]];
  readonly text: string;
}

/** Looks that still show a place of ours before the launch goes on without it. */
const LOOKS_MAX = 5;

/**
 * A place by which EC2 was asked for room, and that nobody has seen ended, is given back right
 * before the launch, so that there is room for it. Whatever stands in the way of that, the launch
 * goes on: the place ends by itself, and what is left goes to collection.
 */
export class PlaceGivenBack {
  readonly #run: Run;
  #looks = 0;
  /** What EC2 has said yes to: looks may be outdated. */
  readonly #ended = new Set<string>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Null: there is none (any more), or it is not waited for. */
  async next(): Promise<Cancelling | null> {
    const run = this.#run;
    const entry = run.journal.get(RESERVE);
    if (run.isPreparation || !isPlaceOpen(entry) || this.#looks >= LOOKS_MAX) return null;
    this.#looks += 1;
    try {
      const known = reservedIn(entry);
      const shown = (await reservedFor(run)).map(({ reservationId }) => reservationId);
      const left = [...new Set([...shown, ...(known === null ? [] : [known])])].filter((id) => !this.#ended.has(id));
      const [first, ...more] = left.map((reservationId) => this.#cancel(reservationId));
      if (!first) return null;
      return { kind: 'act', text: 'giving back the place by which EC2 was asked for room', calls: [first, ...more] };
    } catch (error) {
      if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
      return null;
    }
  }

  #cancel(reservationId: string): Call {
    return {
      name: 'unreserve',
      optional: true,
      run: async (cloud, options) => {
        try {
          await cloud.cancelCapacityReservation(reservationId, options);
        } catch (error) {
          if (!hasCode(error, 'CLOUD_REJECTED')) throw error;
        }
        // It has ended now, or had already.
        this.#ended.add(reservationId);
      },
    };
  }
}

/** @throws CLOUD_NOT_FOUND where it has ended, and the errors of EC2 */
export async function endReservation(cloud: Cloud, id: string, options: CloudCallOptions): Promise<void> {
  const found = await cloud.describeCapacityReservation(id, options);
  if (!isLiveReservation(found)) throw new OperationError('CLOUD_NOT_FOUND', `${id} has ended`);
  await cloud.cancelCapacityReservation(id, options);
}

export const reservationLeftover: LeftoverKind = {
  kind: RESERVATION,
  order: 1,
  text: () => 'place by which EC2 was asked for room while the member was suspect',
  leftAs: (ids) => `the place ${ids.join(', ')} by which EC2 was asked for room, which ends by itself`,
  remove: endReservation,
};
