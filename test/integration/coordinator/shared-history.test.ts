import { type CloudSim, seedInstance } from '@understudy/cloud-sim';
import { PostgresSql } from '@understudy/inventory';
import { historyFaults, missingPostgres, PrivatePostgres } from '@understudy/inventory/testing';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { InventoryPageSchema, InventoryStandingSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterPerTest } from './cluster-per-test.ts';

/** A key a coordinator, so that one sees who asks. */
const KEYS = ['AKIAONE', 'AKIATWO', 'AKIATHREE'];
/** More than a page of a crawl. */
const INSTANCES = 101;
/** Listed after instances and volumes. */
const STRUCK_IN = 'DescribeNetworkInterfaces';

const now = clusterPerTest();

/** Whoever first asks for the second page of a listing gets the signal instead of the answer. */
function strikeInCrawl(
  sim: CloudSim,
  processes: ReadonlyMap<string, CoordinatorProcess>,
  signal: NodeJS.Signals,
): Promise<CoordinatorProcess> {
  const { promise, resolve } = Promise.withResolvers<CoordinatorProcess>();
  const end = sim.onEvent((event) => {
    if (event.kind !== 'call' || event.action !== STRUCK_IN || event.input.NextToken === undefined) return;
    const struck = processes.get(event.reader);
    if (struck === undefined) return;
    end();
    struck.signal(signal);
    resolve(struck);
  });
  return promise;
}

async function startAll(postgres: object): Promise<ReadonlyMap<string, CoordinatorProcess>> {
  // One round a term is what the test is about.
  const inventory = { postgres, everyMs: 600_000, paceMs: 50 };
  const processes = new Map<string, CoordinatorProcess>();
  for (const [index, key] of KEYS.entries()) {
    const { path, httpPort } = await now.cluster.config(index, now.etcd.hosts, KEYS.length, { inventory });
    processes.set(key, now.cluster.start(path, httpPort, { AWS_ACCESS_KEY_ID: key }));
  }
  return processes;
}

/** The last kind of a round may not be listed here, which is a remark on its own crawl. */
async function hasCrawledAll(leader: CoordinatorProcess): Promise<boolean> {
  const said = InventoryStandingSchema.safeParse(await leader.json('/v1/inventory'));
  return said.success && said.data.kinds.find(({ kind }) => kind === 'target-group')?.outcome === 'partial';
}

async function versionsOf(one: CoordinatorProcess, kind: string, id: string) {
  const path = `/v1/inventory/${kind}?id=${id}&since=0`;
  return InventoryPageSchema.parse(await one.json(path)).versions;
}

const termOf = (crawl: unknown): number => Number(String(crawl).split('-')[0]);

describe.skipIf(missingPostgres() !== null)('coordinators that share a history in PostgreSQL', () => {
  let server: PrivatePostgres;
  let sql: PostgresSql;
  beforeAll(async () => {
    server = await PrivatePostgres.start();
    sql = new PostgresSql(server.place());
  });
  afterAll(async () => {
    await sql.close();
    await server.stop();
  });

  test('it has no gap, nothing twice and nothing wrong when two of them end in the middle of a crawl', async () => {
    const { sim } = await now.cluster.startCloud({ credentials: { accessKeyIds: KEYS } });
    const ids = Array.from({ length: INSTANCES }, () => seedInstance(sim).instanceId);
    const [first = '', second = ''] = ids;
    const stop = (id: string) => sim.seed('StopInstances', { InstanceIds: [id], Force: true });
    const made = sim.seed('CreateVolume', { AvailabilityZone: sim.zones[0], Size: 1, VolumeType: 'gp3' });
    const { VolumeId: loose = '' } = made as { readonly VolumeId?: string };
    const { host, port, database, user } = server.place();
    // The database is empty: whoever leads first makes the tables.
    const processes = await startAll({ host, port, database, user });

    const paused = await strikeInCrawl(sim, processes, 'SIGSTOP');
    const killing = strikeInCrawl(sim, processes, 'SIGKILL');
    stop(first);
    sim.seed('DeleteVolume', { VolumeId: loose });
    const killed = await killing;
    stop(second);
    expect(killed).not.toBe(paused);
    const [last] = [...processes.values()].filter((one) => one !== paused && one !== killed);
    if (last === undefined) throw new Error('none is left');
    await until('the third has crawled everything', () => hasCrawledAll(last));

    // The one that was paused goes on where it was: in the middle of a listing, in an old term.
    const written = () => sql.all('SELECT * FROM inventory_versions ORDER BY kind, id, valid_from');
    const before = await written();
    paused.signal('SIGCONT');
    await until('it knows that its term is over', async () => paused.events().includes('leadership.ended'));
    await until('it follows', async () => (await paused.get('/v1/inventory'))?.status === 200);
    expect(await written()).toEqual(before);
    expect(await historyFaults(sql)).toEqual([]);

    // Each term wrote what it had listed to the end, and no more.
    const terms = [...new Set(before.map(({ crawl }) => termOf(crawl)))].sort((a, b) => a - b);
    expect(terms).toHaveLength(3);
    const wroteIn = (kind: string) =>
      terms.map((term) => before.filter((row) => row.kind === kind && termOf(row.crawl) === term).length);
    expect(wroteIn('instance')).toEqual([INSTANCES, 1, 1]);
    expect(wroteIn('volume')).toEqual([INSTANCES + 1, 0, 0]);
    expect(wroteIn('interface')).toEqual([0, 0, INSTANCES]);

    // What changed while nobody led is dated by the crawl that first saw it.
    const [was, is] = await versionsOf(last, 'instance', first);
    expect([was?.end, was?.validToWallMs]).toEqual(['changed', is?.validFromWallMs]);
    expect(termOf(is?.crawl)).toBe(terms[1]);
    expect(termOf((await versionsOf(last, 'instance', second))[1]?.crawl)).toBe(terms[2]);
    // Two complete crawls missed it, one of each leader: it is gone since the first of them.
    const [gone] = await versionsOf(last, 'volume', loose);
    expect([gone?.end, gone?.lastSeenWallMs]).toEqual(['gone', gone?.validFromWallMs]);
    const { kinds } = InventoryStandingSchema.parse(await last.json('/v1/inventory'));
    const instances = kinds.find(({ kind }) => kind === 'instance');
    expect(instances?.covered).toEqual([{ fromWallMs: was?.validFromWallMs, toWallMs: instances?.lastCompleteWallMs }]);

    // Whoever is asked, the answer is the same.
    const from = was?.validFromWallMs ?? 0;
    for (const path of [
      '/v1/inventory',
      '/v1/inventory/instance?limit=1000',
      `/v1/inventory/instance?at=${from}&where=State.Name%3Drunning&limit=1000`,
      `/v1/inventory/volume?since=${from}&of=changed&limit=1000`,
      `/v1/inventory/instance/differences?from=${from}&to=${(is?.validFromWallMs ?? 0) + 1}`,
    ]) {
      const answer = await last.get(path);
      expect([path, answer?.status]).toEqual([path, 200]);
      expect(await paused.get(path)).toEqual(answer);
    }
  });
});
