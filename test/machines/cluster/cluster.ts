import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@understudy/coordinator';
import { keyspace, type KvStore, MembersViewSchema, type MemberView, type PauseRecord } from '@understudy/shared';
import { SystemClock, until } from '@understudy/shared/node';
import { DATA, World } from '../world/world.ts';
import { coordinatorUserData } from './coordinator-machine.ts';
import { buildNext, type Handout, makeHandout, operatorConfig } from './handout.ts';
import { MEMBER, memberUserData } from './member-machine.ts';
import { httpsGet, type HttpsReply } from './https-get.ts';
import { HANDOUT, PORTS, type Seat } from './seats.ts';
import { Writer } from './writer.ts';

const KEYS = keyspace();
const WELL_WITHIN_MS = 120_000;
const REPLACED_WITHIN_MS = 180_000;

/** Coordinators on machines of their own, one member with PostgreSQL, and a writer outside. */
export class Cluster {
  readonly world: World;
  readonly handout: Handout;
  readonly seats: readonly Seat[];
  readonly writer: Writer;
  readonly clock = new SystemClock();
  /** Instance of each coordinator, by its id. */
  readonly #machines = new Map<string, string>();
  /** The member's first instance. */
  readonly firstInstance: string;
  readonly #store: KvStore;
  /** Authority of the certificates of the coordinators' HTTPS. */
  readonly #authority: string;
  #next: Promise<void> | null = null;
  #closed = false;

  private constructor(
    world: World,
    handout: Handout,
    seats: readonly Seat[],
    userData: string,
    tree: string,
    store: KvStore,
  ) {
    this.#store = store;
    this.#authority = readFileSync(join(handout.folder, 'pki', 'api', 'ca.pem'), 'utf8');
    this.world = world;
    this.handout = handout;
    this.seats = seats;
    for (const seat of seats) this.#machines.set(seat.id, this.#launchCoordinator(seat));
    const made = world.launch({
      member: MEMBER,
      dataVolumes: [{ deviceName: DATA.device, sizeGiB: 4 }],
      elasticIp: true,
      userData,
    });
    this.firstInstance = made.instanceId;
    this.writer = new Writer(tree, made.publicIp ?? '', this.clock);
  }

  static async open(folder: string, tree: string, seats: readonly Seat[]): Promise<Cluster> {
    const handout = await makeHandout(join(folder, 'handout'), seats);
    const world = await World.open({ folder, tree, readOnly: { [HANDOUT]: handout.folder } });
    const config = operatorConfig(handout, join(folder, 'operator'), seats);
    const userData = await memberUserData(handout, join(folder, 'operator'), seats);
    return new Cluster(world, handout, seats, userData, tree, openStore({ configPath: config }));
  }

  machineOf(seat: Seat): string {
    return this.#machines.get(seat.id) ?? '';
  }

  /** What a coordinator's API answers. Null: it does not. */
  get(seat: Seat, path: string): Promise<HttpsReply | null> {
    return httpsGet(`https://${seat.address}:${PORTS.http}${path}`, this.#authority, this.handout.token);
  }

  /** The member as this coordinator shows it. */
  async member(seat: Seat): Promise<MemberView | null> {
    const reply = await this.get(seat, '/v1/members');
    if (reply?.status !== 200) return null;
    return MembersViewSchema.parse(reply.body).members.find(({ member }) => member === MEMBER) ?? null;
  }

  /** The instance that is activated, by the word of the first coordinator that answers. */
  async activeInstance(): Promise<string | null> {
    for (const seat of this.seats) {
      const view = await this.member(seat);
      if (view !== null) return view.instanceId;
    }
    return null;
  }

  /** The instance that serves now. @throws when no coordinator names one */
  async incumbent(): Promise<string> {
    const instanceId = await this.activeInstance();
    assert(instanceId !== null, 'no coordinator names an instance');
    return instanceId;
  }

  /** Waits until another instance is activated, serves, and is what the writer reaches. */
  async replaced(old: string, sinceMs: number): Promise<{ readonly instanceId: string; readonly servedAtMs: number }> {
    const other = async () => {
      const active = await this.activeInstance();
      return active !== null && active !== old && (await this.serves(active)) ? active : null;
    };
    const instanceId = await until(`${old} is replaced`, other, REPLACED_WITHIN_MS);
    return { instanceId, servedAtMs: await this.committedAfter(sinceMs) };
  }

  /** Whether PostgreSQL runs inside, by what systemd says of it. */
  async serves(instanceId: string): Promise<boolean> {
    if (this.world.firstProcess(instanceId) === null) return false;
    const { output } = await this.world.run(instanceId, 'systemctl', 'is-active', 'postgresql@15-main.service');
    return output === 'active';
  }

  /** A row is committed that was sent after this call. Resolves with the monotonic moment. */
  async committedAfter(sinceMs: number, limitMs = WELL_WITHIN_MS): Promise<number> {
    return until(
      'a row is committed',
      () => this.writer.acknowledged.find(({ atMs }) => atMs > sinceMs)?.atMs,
      limitMs,
    );
  }

  /** Does work on the member that nobody should take for a failure. */
  async paused<T>(why: string, work: () => Promise<T>): Promise<T> {
    const scope = `member/${MEMBER}`;
    const key = KEYS.pause(scope);
    const now = this.clock.wallMs();
    const written = {
      schemaVersion: 1,
      writeId: `machines-${now}`,
      writtenBy: 'machines',
      writtenAtWallMs: now,
    } as const;
    const record: PauseRecord = { ...written, scope, who: 'machines', why, sinceWallMs: now, untilWallMs: null };
    await this.#store.txn({ compare: [], writes: [{ kind: 'put', key, value: JSON.stringify(record) }] });
    try {
      return await work();
    } finally {
      await this.#store.txn({ compare: [], writes: [{ kind: 'delete', key }] });
    }
  }

  /**
   * Every coordinator is ready and finds the member alive, unheld, with no recovery open, and its
   * PostgreSQL is up.
   */
  async well(limitMs = WELL_WITHIN_MS): Promise<void> {
    let last = '';
    const check = async () => {
      const all = await Promise.all([...this.seats.map((seat) => this.#complaint(seat)), this.#silence()]);
      last = all.filter((words) => words !== '').join('; ');
      return last === '';
    };
    await until('all is well', check, limitMs).catch((error: unknown) => {
      throw new Error(`not well within ${limitMs / 1_000} s: ${last}`, { cause: error });
    });
  }

  async #complaint(seat: Seat): Promise<string> {
    const ready = await this.get(seat, '/readyz');
    if (ready?.status !== 200) return `${seat.id} is not ready: ${JSON.stringify(ready?.body ?? 'no answer')}`;
    const view = await this.member(seat);
    if (view === null) return `${seat.id} does not show ${MEMBER}`;
    const heard = view.opinions.filter(({ verdict }) => verdict === 'alive').length;
    if (heard !== this.seats.length) return `${seat.id}: heard alive by ${heard}`;
    if (view.verdict !== 'alive' || view.degraded) return `${seat.id}: ${view.verdict}, ${view.reason}`;
    if (view.recovery !== null) return `${seat.id}: it is being recovered`;
    return view.hold === null ? '' : `${seat.id}: held, ${view.hold.reason}`;
  }

  async #silence(): Promise<string> {
    const active = await this.activeInstance();
    return active !== null && (await this.serves(active)) ? '' : `${active} does not serve`;
  }

  /** Builds what is installed as the next version. The machines see it in `/mnt/cluster/next`. */
  async next(): Promise<void> {
    this.#next ??= buildNext(this.handout);
    await this.#next;
  }

  /** Keeps what every machine has to say, for whoever asks why. */
  async keepWords(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    for (const { id } of this.world.sim.core.region.instances.all()) {
      writeFileSync(join(folder, `${id}.console`), this.world.consoleOf(id));
      if (this.world.firstProcess(id) === null) continue;
      const { output } = await this.world.run(id, 'journalctl', '--no-pager', '--boot', '--lines=5000');
      writeFileSync(join(folder, `${id}.journal`), output);
    }
    for (const seat of this.seats) {
      const replies = await Promise.all(['/v1/status', '/v1/members'].map((path) => this.get(seat, path)));
      writeFileSync(join(folder, `${seat.id}.json`), JSON.stringify(replies, null, 1));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.writer.stop();
    await this.#store.close();
    await this.world.close();
  }

  #launchCoordinator(seat: Seat): string {
    const { instanceId } = this.world.launch({
      az: seat.zone,
      tags: { Name: seat.id },
      userData: coordinatorUserData(seat, this.seats),
      request: { PrivateIpAddress: seat.address },
    });
    return instanceId;
  }
}
