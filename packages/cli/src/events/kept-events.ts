import type { FleetEvent } from '@understudy/shared';
import type { CoordinatorClient, EventsWanted } from '@understudy/shared/node';

/** Pages are short of memory, not of history: so many are everything that is kept. */
const PAGES_MAX = 1_000;

/** All events that are kept, the oldest first, and where they end. */
export async function keptEvents(client: CoordinatorClient, wanted: EventsWanted) {
  const events: FleetEvent[] = [];
  let after = wanted.after;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { events: some, cursor, more } = await client.events({ ...wanted, after });
    events.push(...some);
    after = cursor;
    if (!more) break;
  }
  return { events, cursor: after };
}
