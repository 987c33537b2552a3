import type { Cloud, CloudCallOptions } from '@understudy/shared';
import type { Found } from '../core/ownership.ts';

/** Where a move has put an item, as it understands it. It stands in the history. */
export type Place = Readonly<Record<string, unknown>>;

/** What a look may need to know of the recovery, beside the item. */
export interface Watched {
  readonly item: string;
  readonly place: Place;
  readonly newInstanceId: string;
  readonly oldInstanceId: string;
}

export type LookingCloud = Pick<Cloud, Extract<keyof Cloud, `describe${string}`>>;

/** How an item is watched for a while after its recovery, and put back. */
export interface MoveWatch {
  /** From the record of the step; null: it put it nowhere. */
  placeOf(record: { readonly request: unknown; readonly result: unknown }): Place | null;
  /** For people: `address eipalloc-…`. */
  text(item: string): string;
  /** Reads only. @throws as the reads of {@link Cloud} do */
  look(cloud: LookingCloud, watched: Watched, options: CloudCallOptions): Promise<Found>;
  /**
   * Takes it off what `from` names, exactly: the retired instance's. A call of it that lands late
   * takes nothing from anybody else. @throws as the calls of {@link Cloud} do
   */
  takeOff(cloud: Cloud, watched: Watched, from: string, options: CloudCallOptions): Promise<void>;
  /** Puts it back, and takes it from nobody. @throws as the calls of {@link Cloud} do */
  putBack(cloud: Cloud, watched: Watched, options: CloudCallOptions): Promise<void>;
}
