import type { Cloud, CloudCallOptions, DnsRecords, MemberId, TargetGroups } from '@understudy/shared';
import type { Found } from '../core/ownership.ts';

/** Where a move has put an item, as it understands it. It stands in the history. */
export type Place = Readonly<Record<string, unknown>>;

/** What a look may need to know of the recovery, beside the item. */
export interface Watched {
  readonly member: MemberId;
  readonly item: string;
  readonly place: Place;
  readonly newInstanceId: string;
  readonly oldInstanceId: string;
}

/** What may be asked. */
export interface Services {
  readonly cloud: Cloud;
  /** Absent: records are not watched. */
  readonly dns?: DnsRecords | undefined;
  /** Absent: registrations are not watched. */
  readonly targetGroups?: TargetGroups | undefined;
}

export type LookingCloud = Pick<Cloud, Extract<keyof Cloud, `describe${string}`>>;

/** The part of {@link Services} that changes nothing. */
export interface Looking {
  readonly cloud: LookingCloud;
  readonly dns?: Pick<DnsRecords, 'describeRecords'> | undefined;
  readonly targetGroups?: Pick<TargetGroups, 'describeTargets'> | undefined;
}

/** How an item is watched for a while after its recovery, and put back. */
export interface MoveWatch {
  /** From the record of the step; null: it put it nowhere. */
  placeOf(record: { readonly request: unknown; readonly result: unknown }): Place | null;
  /** For people: `address eipalloc-…`. */
  text(item: string): string;
  /** Reads only. @throws as the reads of the services do */
  look(services: Looking, watched: Watched, options: CloudCallOptions): Promise<Found>;
  /**
   * Takes it off what `from` names, exactly: the retired instance's. A call of it that lands late
   * takes nothing from anybody else. Where that puts it back in the same call, {@link putBack} has
   * nothing left to do. @throws as the calls of the services do
   */
  takeOff(services: Services, watched: Watched, from: string, options: CloudCallOptions): Promise<void>;
  /** Puts it back, and takes it from nobody. @throws as the calls of the services do */
  putBack(services: Services, watched: Watched, options: CloudCallOptions): Promise<void>;
}
