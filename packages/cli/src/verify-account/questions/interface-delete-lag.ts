import type { Answer, Bench, Question } from '../question.ts';
import { refusalOf } from '../refusal.ts';
import { waitFor } from '../waiting.ts';

/** Interfaces of each half of the question. */
const TIMES = 10;
/** `lagGraceMs`: how long DeleteNetworkInterface may say NotFound of what was just made. */
const LAG_GRACE_MS = 60_000;
const LOOK_MS = 250;

/** Looks that are so far apart were not ours to make: this process was paused. */
const GAP_MS = 10_000;

interface Deletion {
  readonly notFound: number;
  readonly tookMs: number;
  readonly paused: boolean;
}

/** Deletes until EC2 has done it, and counts how often it knew of none. */
async function deleted({ cloud, clock }: Bench, networkInterfaceId: string): Promise<Deletion> {
  let notFound = 0;
  let [lastMs, paused] = [clock.monotonicMs(), false];
  const wait = { what: 'a deleted interface', limitMs: 2 * LAG_GRACE_MS, everyMs: LOOK_MS };
  const { tookMs } = await waitFor(clock, wait, async () => {
    paused ||= clock.monotonicMs() - lastMs > GAP_MS;
    lastMs = clock.monotonicMs();
    try {
      await cloud.deleteNetworkInterface(networkInterfaceId);
      return true;
    } catch (error) {
      if (refusalOf(error) !== 'InvalidNetworkInterfaceID.NotFound') throw error;
      notFound += 1;
      return null;
    }
  });
  return { notFound, tookMs, paused: paused || clock.monotonicMs() - lastMs > GAP_MS };
}

async function atOnce(bench: Bench): Promise<Deletion> {
  const { networkInterfaceId } = await bench.things.interfaceIn(bench.given.subnetId);
  return deleted(bench, networkInterfaceId);
}

async function onceShown(bench: Bench): Promise<Deletion> {
  const { networkInterfaceId } = await bench.things.shownInterfaceIn(bench.given.subnetId);
  return deleted(bench, networkInterfaceId);
}

async function times(bench: Bench, one: (bench: Bench) => Promise<Deletion>): Promise<readonly Deletion[]> {
  const seen: Deletion[] = [];
  for (let n = 0; n < TIMES; n++) seen.push(await one(bench));
  return seen;
}

async function ask(bench: Bench): Promise<Answer> {
  const early = await times(bench, atOnce);
  const late = await times(bench, onceShown);
  const slowestMs = Math.round(Math.max(...early.map(({ tookMs }) => tookMs)));
  const unknown = early.filter(({ notFound }) => notFound > 0).length;
  const forgotten = late.filter(({ notFound }) => notFound > 0).length;
  const saw = `of ${TIMES} deleted at once, ${unknown} were not found at first (gone within ${slowestMs} ms); of ${TIMES} that had been shown, ${forgotten}`;
  if ([...early, ...late].some(({ paused }) => paused))
    return { verdict: 'unclear', saw: 'this process was paused meanwhile', figures: {} };
  const wrong = forgotten > 0 || slowestMs > LAG_GRACE_MS;
  return { verdict: wrong ? 'otherwise' : 'as-assumed', saw, figures: { unknown, slowestMs, forgotten } };
}

export const interfaceDeleteLag: Question = {
  id: 'interface-delete-lag',
  asks: 'how long may DeleteNetworkInterface say NotFound of a new interface, and ever after it was shown?',
  restsOn: 'A9, S7: NotFound of an interface that was shown, or is older than lagGraceMs (60 s), means gone',
  remedy: 'do not let Understudy replace machines in this account, and open an issue with this report',
  needs: [],
  use: { instances: 0, minutes: 2, diskGiB: 0 },
  calls: ['CreateNetworkInterface', 'DeleteNetworkInterface'],
  ask,
};
