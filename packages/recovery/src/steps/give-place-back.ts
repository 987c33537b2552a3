import { isOperationError, OperationError } from '@understudy/shared';
import { isLiveReservation } from '../core/reservation-fit.ts';
import type { Call } from '../effect.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import type { Run } from '../run.ts';
import { RESERVATION, RESERVE } from './reserve-record.ts';
import { reservedFor } from './reserve.ts';

interface Cancelling {
  readonly kind: 'act';
  readonly calls: readonly [Call, ...Call[]];
  readonly text: string;
}

/** Looks that still show a place of ours before the launch goes on without it. */
const LOOKS_MAX = 5;

/**
 * A place that was kept for this launch is given back right before it, so that there is room for
 * it. The launch does not name it: an instance that does can never be started again once its
 * reservation has ended, and EC2 lets that be changed of a stopped one only. Whatever stands in the
 * way of it, the launch goes on: the place ends by itself, and what is left goes to collection.
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
    if (run.isPreparation || run.journal.get(RESERVE) === null || this.#looks >= LOOKS_MAX) return null;
    this.#looks += 1;
    try {
      const left = (await reservedFor(run)).filter(({ reservationId: id }) => !this.#ended.has(id));
      const [first, ...more] = left.map(({ reservationId }) => this.#cancel(reservationId));
      if (!first) return null;
      return { kind: 'act', text: 'giving back the place that was kept for it', calls: [first, ...more] };
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
        await cloud.cancelCapacityReservation(reservationId, options);
        this.#ended.add(reservationId);
      },
    };
  }
}

export const reservationLeftover: LeftoverKind = {
  kind: RESERVATION,
  order: 1,
  text: () => 'place that was kept while the member was suspect',
  leftAs: (ids) => `the place ${ids.join(', ')} that was kept for its launch, which ends by itself`,
  remove: async (cloud, id, options) => {
    const found = await cloud.describeCapacityReservation(id, options);
    if (!isLiveReservation(found)) throw new OperationError('CLOUD_NOT_FOUND', `${id} has ended`);
    await cloud.cancelCapacityReservation(id, options);
  },
};
