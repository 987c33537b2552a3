import { type Clock, errorText, type MemberView, type StatusView } from '@understudy/shared';
import type { CoordinatorClient } from '@understudy/shared/node';
import { keptEvents } from '../events/kept-events.ts';
import { within } from '../client/within.ts';
import type { Archive } from './archive.ts';

const HISTORY_MAX = 1_000;
/** Members whose explanation is asked for. */
const EXPLAINED_MAX = 50;
const ANSWER_WITHIN_MS = 5_000;

export interface Sources {
  /** A client of the coordinators at these addresses. */
  readonly clientAt: (urls: readonly string[]) => CoordinatorClient;
  readonly urls: readonly string[];
  readonly fetch: typeof fetch;
  readonly token: string | null;
  readonly clock: Clock;
}

/** Puts in what comes of `ask`, or why it did not come. */
async function put(archive: Archive, name: string, ask: () => Promise<unknown>): Promise<void> {
  try {
    const value = await ask();
    if (typeof value === 'string') archive.addText(name, value);
    else archive.addJson(name, value);
  } catch (error) {
    archive.leaveOut(name, errorText(error));
  }
}

function metricsText({ fetch: send, token, clock }: Sources, url: string): Promise<string> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return within(clock, ANSWER_WITHIN_MS, async (signal) => {
    const response = await send(new URL('/metrics', url), { headers, signal });
    if (!response.ok) throw new Error(`${url}/metrics answers ${response.status}`);
    return response.text();
  });
}

/** What one coordinator sees. Each has a view of its own. */
async function ofCoordinator(archive: Archive, sources: Sources, folder: string, url: string): Promise<void> {
  const client = sources.clientAt([url]);
  await put(archive, `${folder}/status.json`, () => client.status());
  await put(archive, `${folder}/members.json`, () => client.membersView());
  await put(archive, `${folder}/recoveries.json`, () => client.recoveries());
  await put(archive, `${folder}/holds.json`, () => client.holds());
  await put(archive, `${folder}/leftovers.json`, () => client.leftovers());
  await put(archive, `${folder}/keys.json`, () => client.keys());
  await put(archive, `${folder}/metrics.txt`, () => metricsText(sources, url));
}

const isOdd = ({ verdict, hold, recovery, degraded }: MemberView): boolean =>
  verdict !== 'alive' || hold !== null || recovery !== null || degraded;

/**
 * Every coordinator's view, the history, and why each member is judged that is not simply alive.
 */
export async function collectCluster(archive: Archive, sources: Sources): Promise<void> {
  const client = sources.clientAt(sources.urls);
  let status: StatusView | null = null;
  await put(archive, 'status.json', async () => (status = await client.status()));
  const known = (status as StatusView | null)?.coordinators ?? [];
  for (const { coordinatorId, httpUrl } of known)
    await ofCoordinator(archive, sources, `coordinators/${coordinatorId}`, httpUrl);
  await put(archive, 'history.json', () => client.history(null, HISTORY_MAX));
  const wanted = { after: null, member: null, group: null };
  await put(archive, 'events.json', async () => (await keptEvents(client, wanted)).events);
  const members = await client.members().catch(() => []);
  const odd = members.filter(isOdd);
  for (const { member } of odd.slice(0, EXPLAINED_MAX))
    await put(archive, `explain/${member.replace('/', '_')}.json`, () => client.explain(member));
  if (odd.length > EXPLAINED_MAX) archive.leaveOut('explain/…', `${odd.length - EXPLAINED_MAX} more members`);
}
