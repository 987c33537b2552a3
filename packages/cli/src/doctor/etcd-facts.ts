import { type Clock, errorText } from '@understudy/shared';
import * as z from 'zod';
import { within } from '../client/within.ts';

/** How to ask etcd over its HTTP gateway. */
export interface EtcdAccess {
  readonly hosts: readonly string[];
  readonly fetch: typeof fetch;
  readonly username: string | null;
  readonly password: string | null;
  /** Everything of ours stands below it. */
  readonly root: string;
}

/** What one member of etcd said. Null where it did not say it. */
export interface EtcdFacts {
  readonly host: string;
  /** Why it did not answer at all. Null: it did. */
  readonly silent: string | null;
  readonly version: string | null;
  readonly hasLeader: boolean | null;
  readonly dbBytes: number | null;
  readonly quotaBytes: number | null;
  readonly alarms: readonly string[];
  /** Members of the cluster as it knows them. */
  readonly members: number | null;
  readonly revision: number | null;
  /** The oldest revision that is kept. */
  readonly compactRevision: number | null;
  /** Time that a write which can never be applied took through the cluster, in ms. */
  readonly writeMs: number | null;
  /** Mean time of its writes to disk since it began, in ms. */
  readonly fsyncMs: number | null;
  /** How far its clock is ahead of ours, in ms; a second more or less. */
  readonly clockAheadMs: number | null;
}

const ANSWER_WITHIN_MS = 4_000;
const number = z.coerce.number();
const VersionSchema = z.object({ etcdserver: z.string() });
const StatusSchema = z.object({
  leader: z.string().optional(),
  dbSize: number,
  header: z.object({ revision: number }),
});
const AlarmsSchema = z.object({ alarms: z.array(z.object({ alarm: z.string() })).default([]) });
const MembersSchema = z.object({ members: z.array(z.unknown()) });
const TokenSchema = z.object({ token: z.string() });

/** One member, asked with what it needs to be asked with. */
class EtcdMember {
  readonly #access: EtcdAccess;
  readonly #host: string;
  readonly #clock: Clock;
  #token: string | null = null;

  constructor(access: EtcdAccess, host: string, clock: Clock) {
    this.#access = access;
    this.#host = host;
    this.#clock = clock;
  }

  async authenticate(): Promise<void> {
    const { username, password } = this.#access;
    if (username === null || password === null) return;
    const body = { name: username, password };
    this.#token = (await this.post('/v3/auth/authenticate', body, TokenSchema)).token;
  }

  get(path: string): Promise<{ readonly text: string; readonly date: number }> {
    return within(this.#clock, ANSWER_WITHIN_MS, async (signal) => {
      const response = await this.#access.fetch(new URL(path, this.#host), { signal });
      return { text: await response.text(), date: Date.parse(response.headers.get('date') ?? '') };
    });
  }

  post<T>(path: string, body: object, schema: z.ZodType<T>): Promise<T> {
    return within(this.#clock, ANSWER_WITHIN_MS, (signal) => this.#post(path, body, schema, signal));
  }

  async #post<T>(path: string, body: object, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const response = await this.#access.fetch(new URL(path, this.#host), {
      method: 'POST',
      headers: this.#token === null ? {} : { authorization: this.#token },
      body: JSON.stringify(body),
      signal,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${text.slice(0, 200)}`);
    return schema.parse(JSON.parse(text));
  }
}

const orNull = <T>(asked: Promise<T>): Promise<T | null> => asked.catch(() => null);

/** The value of a metric without labels. */
function metric(text: string, name: string): number | null {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

function fsyncOf(text: string): number | null {
  const sum = metric(text, 'etcd_disk_wal_fsync_duration_seconds_sum');
  const count = metric(text, 'etcd_disk_wal_fsync_duration_seconds_count');
  return sum === null || count === null || count === 0 ? null : (sum / count) * 1_000;
}

/**
 * A write that goes through the whole cluster and is never applied: its condition (a version below
 * 0) is never so.
 */
async function rehearsedWriteMs(member: EtcdMember, root: string, clock: Clock): Promise<number> {
  const key = Buffer.from(`${root}doctor`).toString('base64');
  const beganMs = clock.monotonicMs();
  const never = { compare: [{ key, target: 'VERSION', result: 'LESS', version: '0' }] };
  await member.post('/v3/kv/txn', { ...never, success: [{ requestPut: { key, value: '' } }] }, z.unknown());
  return clock.monotonicMs() - beganMs;
}

const versionIn = async (text: string): Promise<string> => VersionSchema.parse(JSON.parse(text)).etcdserver;

const SILENT = {
  ...{ version: null, hasLeader: null, dbBytes: null, quotaBytes: null, alarms: [], members: null, revision: null },
  ...{ compactRevision: null, writeMs: null, fsyncMs: null, clockAheadMs: null },
} as const;

async function factsOf(access: EtcdAccess, host: string, clock: Clock): Promise<EtcdFacts> {
  const member = new EtcdMember(access, host, clock);
  let answer: Awaited<ReturnType<EtcdMember['get']>>;
  try {
    answer = await member.get('/version');
    await member.authenticate();
  } catch (error) {
    return { ...SILENT, host, silent: causeText(error) };
  }
  const clockAheadMs = Number.isNaN(answer.date) ? null : answer.date + 500 - clock.wallMs();
  const [version, status, alarms, members, metrics] = await Promise.all([
    orNull(versionIn(answer.text)),
    orNull(member.post('/v3/maintenance/status', {}, StatusSchema)),
    orNull(member.post('/v3/maintenance/alarm', { action: 'GET' }, AlarmsSchema)),
    orNull(member.post('/v3/cluster/member/list', {}, MembersSchema)),
    orNull(member.get('/metrics')),
  ]);
  const writeMs = await orNull(rehearsedWriteMs(member, access.root, clock));
  const text = metrics?.text ?? '';
  return {
    ...{ host, silent: null, version, clockAheadMs, writeMs },
    hasLeader: status === null ? null : status.leader !== undefined && status.leader !== '0',
    dbBytes: status?.dbSize ?? null,
    quotaBytes: metric(text, 'etcd_server_quota_backend_bytes'),
    alarms: alarms?.alarms.map(({ alarm }) => alarm) ?? [],
    members: members?.members.length ?? null,
    revision: status?.header.revision ?? null,
    compactRevision: metric(text, 'etcd_debugging_mvcc_compact_revision'),
    fsyncMs: fsyncOf(text),
  };
}

/** The reason below `fetch failed`. */
function causeText(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return errorText(cause);
}

/** Asks every member of etcd by itself. */
export const etcdFacts = (access: EtcdAccess, clock: Clock): Promise<readonly EtcdFacts[]> =>
  Promise.all(access.hosts.map((host) => factsOf(access, host, clock)));
