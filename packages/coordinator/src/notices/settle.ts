import {
  type GuardedDelete,
  type GuardedPut,
  type Keyspace,
  type NoticeRecord,
  unwritten,
  type WallMs,
} from '@understudy/shared';
import type { Stored } from '../store/cluster-records.ts';
import type { SinkState } from './delivery.ts';
import { wants } from './sink.ts';

/** What is to be written about one notice. */
export interface Settling {
  readonly id: string;
  readonly puts: readonly GuardedPut[];
  readonly deletes: readonly GuardedDelete[];
  /** Sinks that are given up for it, by their names. */
  readonly givenUp: readonly { readonly webhook: string; readonly error: string }[];
}

export interface SettleContext {
  readonly states: readonly SinkState[];
  readonly keys: Keyspace;
  readonly nowWallMs: WallMs;
  readonly giveUpAfterMs: number;
}

/**
 * What a notice comes to, as far as it differs from what stands in etcd: removed once every sink
 * that wants it has had it or was given up, else with the names of those that have had it. Null:
 * nothing is to be written. Pure.
 */
export function settle({ record, modRevision }: Stored<NoticeRecord>, context: SettleContext): Settling | null {
  const { states, keys, nowWallMs, giveUpAfterMs } = context;
  const wanting = states.filter(({ sink }) => wants(sink, record));
  if (record.onlyTo !== null && wanting.length === 0) return putBack({ record, modRevision }, record.onlyTo, context);
  const waiting = wanting.filter((state) => !state.hasHad(record));
  const isOld = nowWallMs - record.waitsSinceWallMs >= giveUpAfterMs;
  const givenUp = isOld
    ? waiting.flatMap((state) => {
        const error = state.errorOf(record.id);
        // One that was not tried in this term is tried first.
        return error === null ? [] : [{ webhook: state.sink.name, error }];
      })
    : [];
  const had = record.deliveredTo;
  const kept = givenUp.map((one) => putAside(record, one, context));
  const key = keys.notice(record.id);
  const base = { id: record.id, givenUp };
  if (waiting.length === givenUp.length) return { ...base, puts: kept, deletes: [{ key, expect: modRevision }] };
  const done = wanting.filter((state) => state.hasHad(record)).map(({ sink }) => sink.name);
  const deliveredTo = [...new Set([...had, ...done, ...givenUp.map(({ webhook }) => webhook)])];
  if (deliveredTo.length === had.length) return null;
  return {
    ...base,
    puts: [{ key, record: { ...unwritten(record), deliveredTo }, expect: modRevision }, ...kept],
    deletes: [],
  };
}

/** The notice as it is kept for a sink that did not take it. */
function putAside(
  record: NoticeRecord,
  { webhook, error }: Settling['givenUp'][number],
  { keys, nowWallMs }: SettleContext,
): GuardedPut {
  const { deliveredTo: _had, onlyTo: _to, waitsSinceWallMs: _since, ...content } = unwritten(record);
  return {
    key: keys.undeliveredNotice(webhook, record.id),
    record: { ...content, webhook, error, givenUpAtWallMs: nowWallMs },
    expect: 0,
  };
}

/** An operator sent it to a sink that is not configured (any more): nobody has had it. */
function putBack({ record, modRevision }: Stored<NoticeRecord>, webhook: string, context: SettleContext): Settling {
  const given = { webhook, error: `no sink ${webhook} is configured` };
  return {
    id: record.id,
    puts: [putAside(record, given, context)],
    deletes: [{ key: context.keys.notice(record.id), expect: modRevision }],
    givenUp: [given],
  };
}
