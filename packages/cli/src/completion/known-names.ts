import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@understudy/shared';
import { coordinatorClient } from '@understudy/shared/node';
import * as z from 'zod';
import { type ClusterChoice, findCluster } from '../client/cluster.ts';
import { fetchWith } from '../client/fetch-with.ts';

/** A shell waits for a completion, and so does a person. In ms. */
const ANSWER_WITHIN_MS = 300;
/** How long an answer is used again: one line of typing. In ms. */
const KEPT_MS = 10_000;

/** A shell may expand or split anything else. Names of members, groups and recoveries fit. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
const plain = z.array(z.string()).transform((names) => names.filter((name) => PLAIN.test(name)));

const NamesSchema = z.object({ atWallMs: z.number(), members: plain, recoveries: plain });
export type KnownNames = z.infer<typeof NamesSchema>;

const NONE: KnownNames = { atWallMs: 0, members: [], recoveries: [] };

/** One file for each cluster that is asked. */
function cachePath(urls: readonly string[], environment: NodeJS.ProcessEnv): string {
  const { XDG_CACHE_HOME = '' } = environment;
  const id = createHash('sha256').update(urls.join(' ')).digest('hex').slice(0, 16);
  return join(XDG_CACHE_HOME === '' ? join(homedir(), '.cache') : XDG_CACHE_HOME, 'understudy', `names-${id}.json`);
}

function kept(path: string, nowWallMs: number): KnownNames | null {
  try {
    const names = NamesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const ageMs = nowWallMs - names.atWallMs;
    return ageMs >= 0 && ageMs < KEPT_MS ? names : null;
  } catch {
    return null;
  }
}

/** A cache that cannot be written is none. */
function keep(path: string, names: KnownNames): void {
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(names), { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  } catch {
    // Completion works without it.
  }
}

/**
 * The names of members and open recoveries for a shell. None when the cluster is not found or does
 * not answer in time: completion never fails and never waits.
 */
export async function knownNames(
  choice: ClusterChoice,
  environment: NodeJS.ProcessEnv,
  clock: Clock,
): Promise<KnownNames> {
  const limit = new AbortController();
  const timer = clock.setTimer(ANSWER_WITHIN_MS, () => limit.abort());
  try {
    const { urls, token, tls } = findCluster(choice, environment);
    const path = cachePath(urls, environment);
    const known = kept(path, clock.wallMs());
    if (known !== null) return known;
    const send = fetchWith(tls);
    const hurried: typeof fetch = (url, init) => send(url, { ...init, signal: limit.signal });
    const client = coordinatorClient(urls, { token, fetch: hurried });
    const [members, recoveries] = await Promise.all([client.members(), client.recoveries()]);
    const names = NamesSchema.parse({
      atWallMs: clock.wallMs(),
      members: members.map(({ member }) => member),
      recoveries: recoveries.open.map(({ opId }) => opId),
    });
    keep(path, names);
    return names;
  } catch {
    return NONE;
  } finally {
    timer.cancel();
  }
}
