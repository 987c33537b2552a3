import { ENTRY_FLAG, type EntryColumns } from './columns.ts';

export type ReplayVerdict = 'fresh' | 'replayed' | 'stale';

const WORD = 4_294_967_296;

/**
 * Accepts each (epoch, sequence) at most once: the 64-wide anti-replay window of RFC 4303 §3.4.3,
 * one per boot epoch. A newer epoch begins afresh. `stale` means an older epoch, or 64 or more
 * behind the newest sequence.
 *
 * The window lies in flat columns, a u64 as two u32, and needs no bigint. A property test compares
 * it with the plain `ReplayWindow` of `@understudy/shared/testing`. Differences beyond 2^53 lose
 * digits, but neither their sign nor their being ≥ 64. `nowMs` is kept as `epochHeardMs` when the
 * datagram begins a boot epoch.
 */
export function acceptSequence(
  entries: EntryColumns,
  entry: number,
  epochHi: number,
  epochLo: number,
  sequenceHi: number,
  sequenceLo: number,
  nowMs: number,
): ReplayVerdict {
  const flags = entries.flags[entry] as number;
  const epochStep =
    (epochHi - (entries.epochHi[entry] as number)) * WORD + (epochLo - (entries.epochLo[entry] as number));
  if ((flags & ENTRY_FLAG.windowOpen) === 0 || epochStep > 0) {
    entries.flags[entry] = flags | ENTRY_FLAG.windowOpen;
    entries.epochHi[entry] = epochHi;
    entries.epochLo[entry] = epochLo;
    entries.epochHeardMs[entry] = nowMs;
    setHighest(entries, entry, sequenceHi, sequenceLo, 0, 1);
    return 'fresh';
  }
  if (epochStep < 0) return 'stale';
  const ahead =
    (sequenceHi - (entries.sequenceHi[entry] as number)) * WORD + (sequenceLo - (entries.sequenceLo[entry] as number));
  return ahead > 0 ? advance(entries, entry, sequenceHi, sequenceLo, ahead) : lookBack(entries, entry, -ahead);
}

function setHighest(
  entries: EntryColumns,
  entry: number,
  hi: number,
  lo: number,
  seenHi: number,
  seenLo: number,
): void {
  entries.sequenceHi[entry] = hi;
  entries.sequenceLo[entry] = lo;
  entries.seenHi[entry] = seenHi;
  entries.seenLo[entry] = seenLo;
}

function advance(entries: EntryColumns, entry: number, hi: number, lo: number, by: number): ReplayVerdict {
  const seenHi = entries.seenHi[entry] as number;
  const seenLo = entries.seenLo[entry] as number;
  if (by >= 64) setHighest(entries, entry, hi, lo, 0, 1);
  else if (by >= 32) setHighest(entries, entry, hi, lo, seenLo << (by - 32), 1);
  else setHighest(entries, entry, hi, lo, (seenHi << by) | (seenLo >>> (32 - by)), (seenLo << by) | 1);
  return 'fresh';
}

function lookBack(entries: EntryColumns, entry: number, behind: number): ReplayVerdict {
  if (behind >= 64) return 'stale';
  const column = behind < 32 ? entries.seenLo : entries.seenHi;
  const bit = 1 << (behind & 31);
  const seen = column[entry] as number;
  if ((seen & bit) !== 0) return 'replayed';
  column[entry] = seen | bit;
  return 'fresh';
}
