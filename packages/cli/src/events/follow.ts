import { type Clock, errorText, EventSchema, type FleetEvent } from '@understudy/shared';
import { eventsQuery, type EventsWanted } from '@understudy/shared/node';
import { type ServerSent, serverSent } from './server-sent.ts';

/**
 * A coordinator says something at least every 5 s. After so long a silence the next is asked, in
 * ms.
 */
const SILENCE_MAX_MS = 15_000;
const AGAIN_AFTER_MS = 1_000;

export interface Follower {
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly onEvent: (event: FleetEvent) => void;
  /** What was missed is not kept: the state has to be read anew. */
  readonly onReset: () => void;
  /** Why another coordinator is asked, once for each change. */
  readonly onTrouble: (text: string) => void;
  /** Ends the following. Absent: only the end of the process does. */
  readonly ended?: () => boolean;
}

/** Where a reader stands. Any coordinator goes on from here. */
interface Place {
  after: string | null;
}

/** Reads one stream until it ends, falls silent or fails. */
async function readOne(follower: Follower, url: string, wanted: EventsWanted, place: Place): Promise<void> {
  const { token, clock, fetch: send } = follower;
  const limit = new AbortController();
  const hush = () => clock.setTimer(SILENCE_MAX_MS, () => limit.abort(new Error(`${url} is silent`)));
  let timer = hush();
  try {
    const query = eventsQuery({ ...wanted, after: place.after });
    const response = await send(new URL(`/v1/events?${query.toString()}`, url), {
      signal: limit.signal,
      headers: { accept: 'text/event-stream', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    });
    if (!response.ok || response.body === null) throw new Error(`${url} answers ${response.status}`);
    follower.onTrouble('');
    for await (const message of serverSent(response.body)) {
      timer.cancel();
      timer = hush();
      take(follower, message);
      if (message.id !== null) place.after = message.id;
      if (follower.ended?.() === true) return limit.abort();
    }
  } finally {
    timer.cancel();
  }
}

function take({ onEvent, onReset }: Follower, { event, data }: ServerSent): void {
  if (event === 'reset') onReset();
  if (event === 'message') onEvent(EventSchema.parse(JSON.parse(data)));
}

/**
 * Follows what changes, from where the reader stands. When a coordinator goes or falls silent, the
 * next one goes on with what followed the last event: none is told twice, none is left out unless
 * `onReset` says so.
 */
export async function followEvents(follower: Follower, wanted: EventsWanted): Promise<void> {
  const place: Place = { after: wanted.after };
  for (let turn = 0; follower.ended?.() !== true; turn += 1) {
    const url = follower.urls[turn % follower.urls.length] ?? '';
    try {
      await readOne(follower, url, wanted, place);
    } catch (error) {
      if (follower.ended?.() === true) return;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      follower.onTrouble(`${url}: ${errorText(cause)}`);
    }
    if (follower.ended?.() !== true) await follower.clock.sleep(AGAIN_AFTER_MS);
  }
}
