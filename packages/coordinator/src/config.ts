import { isLimitedAction } from '@understudy/aws';
import { duration, durationMs, GroupPolicySchema, isName, sharedName, sharedNameFault } from '@understudy/shared';
import * as z from 'zod';
import { HttpConfigSchema } from './http-config.ts';
import { AwsConfigSchema } from './aws-config.ts';
import { EventsConfigSchema } from './events-config.ts';
import { EnrolmentConfigSchema } from './identity/enrolment-config.ts';
import { HooksConfigSchema } from './hooks/hooks-config.ts';
import { InventoryConfigSchema } from './inventory/inventory-config.ts';
import { KeyConfigSchema } from './keys-config.ts';
import { NotifyConfigSchema } from './notices/notify-config.ts';
import { sinksOf } from './notices/sinks/registry.ts';
import { type PolicyFault, policyFaults, type PolicyLimits } from './policy/policy-limits.ts';
import { defaultMarginMs, type LeaseTiming, leaseTimingFaults, usableLeaseMs } from './store/lease-timing.ts';

/**
 * The coordinator's configuration file: YAML, unknown keys are errors, every fault is listed with
 * file and line. Each field says its unit, default, limits and what it costs to turn it either way;
 * rules between fields refuse and name both numbers. `docs/coordinator.md` is the operator's page
 * for the same.
 */

const port = z.number().int().min(0).max(65_535);
const filePath = z.string().min(1);

const udp = z.strictObject({
  /**
   * Address the heartbeat socket is bound to. No default: a coordinator that listens on the wrong
   * interface hears nobody.
   */
  host: z.string().min(1),
  /** UDP port, 0-65535; 0 = chosen by the kernel (tests). Default 7946. */
  port: port.default(7946),
  /**
   * Kernel receive buffer asked for, bytes. Default 4 MiB, 64 KiB to 256 MiB. Larger rides out
   * longer pauses of this process, smaller saves kernel memory. The kernel cuts it to
   * `net.core.rmem_max`. The ring between a receive thread and the main thread follows it: 1
   * datagram for each 256 bytes (16 384 at 4 MiB: 1.6 s of 10 000 agents), which takes 320 bytes of
   * memory.
   */
  receiveBufferBytes: z.number().int().min(65_536).max(268_435_456).default(4_194_304),
  /**
   * Threads that only receive, so that heartbeats do not wait for the leader's work. Default 1, 0
   * to 8. 0 = on the main thread: saves about 20 MB and a thread's wake-ups, and loses heartbeats
   * while the main thread computes. More than 1 share the port (SO_REUSEPORT, Node 23.1 or newer)
   * and each has its own `receiveBufferBytes` and ring: for more datagrams than one core can read
   * (about 100 000 per second).
   */
  receiveThreads: z.number().int().min(0).max(8).default(1),
});

const etcd = z.strictObject({
  /** Client URLs of the etcd members, 1 to 9. One scheme for all: `https://` needs `tls`. */
  hosts: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .max(9),
  /**
   * Everything we write lies under this prefix; starts and ends with `/`. Two clusters in one etcd
   * need two roots.
   */
  root: z
    .string()
    .regex(/^\/(?:[^/]+\/)+$/, 'starts and ends with "/" and has a name between')
    .default('/understudy/v1/'),
  /**
   * Lease of leadership and presence, ms. Default 10 000, 2 000 to 60 000. The longest time nobody
   * leads after a crash (about TTL + 1 s); shorter hands over sooner, longer rides out slower etcd
   * answers without a needless hand-over.
   */
  leaseTtlMs: durationMs(10_000, 2_000, 60_000),
  /**
   * How much earlier than etcd we stop believing in the lease, ms. Default 15 % of the TTL, 250 to
   * 1 500; at least max(250, 5 % of the TTL). Longer is safer against late calls of a paused
   * leader, shorter leaves more of the lease to work in.
   */
  leaseMarginMs: duration(z.number().int().min(250).max(30_000)).optional(),
  /**
   * Time between lease keepalives, ms. Default 2 000, 100 to 20 000. Shorter notices a lost lease
   * sooner and costs etcd more requests.
   */
  keepaliveMs: durationMs(2_000, 100, 20_000),
  /**
   * Deadline of one etcd call, ms. Default 1 500, 100 to 10 000. Shorter parks sooner when etcd is
   * slow, longer waits out a slow disk.
   */
  callTimeoutMs: durationMs(1_500, 100, 10_000),
  /**
   * Client TLS. `certFile` and `keyFile` come together (client certificate); `caFile` alone
   * verifies the server only.
   */
  tls: z
    .strictObject({ caFile: filePath.optional(), certFile: filePath.optional(), keyFile: filePath.optional() })
    .optional(),
  /** etcd user; needs `passwordFile`. */
  username: z.string().min(1).optional(),
  /** File with the password of `username` (mode 0600); surrounding white space is dropped. */
  passwordFile: filePath.optional(),
  /**
   * Why an etcd with known lease bugs (< 3.5.23, < 3.6.5) may be used all the same. A sentence,
   * logged at every start.
   */
  allowUnsafeVersion: z.string().min(10, 'says why, in at least 10 characters').optional(),
});

const observer = z.strictObject({
  /**
   * After its start an observer has no opinion for this long, ms. Default 20 000, 0 to 600 000.
   * Shorter = sooner useful, more false alarms after restarts.
   */
  warmUpMs: durationMs(20_000, 0, 600_000),
  /**
   * How many observers must have an opinion (and all agree) before a member can be `dead`. Default
   * 2, 1 to 9; 1 only in a cluster of one coordinator.
   */
  minimumObservers: z.number().int().min(1).max(9).default(2),
  /**
   * In how many Availability Zones they must be. Default 2, 1 to 9. Fewer = a zone's network
   * trouble can look like a dead member.
   */
  minimumZones: z.number().int().min(1).max(9).default(2),
  /**
   * Shortest heartbeat interval the agents are configured with, ms; only used to refuse a
   * `detect.suspectAfterMs` it does not fit into. Default 1 000.
   */
  heartbeatMs: durationMs(1_000, 50, 60_000),
});

const loop = z.strictObject({
  /**
   * Pace of the loop, ms. Default 250, 20 to 5 000. Shorter detects sooner and costs CPU; a stall
   * is three of these without a tick.
   */
  tickMs: durationMs(250, 20, 5_000),
  /**
   * The leader lists tagged instances this often, ms. Default 15 000, 200 to 600 000. Shorter
   * enrols sooner and costs DescribeInstances calls.
   */
  enrolEveryMs: durationMs(15_000, 200, 600_000),
  /**
   * The leader asks for instance state and status checks this often, ms; at once for a member that
   * becomes suspect. Default 5 000, 200 to 300 000.
   */
  evidenceEveryMs: durationMs(5_000, 200, 300_000),
  /**
   * Leftovers of finished recoveries are looked for this often, ms. Default 60 000, 200 to 3 600
   * 000.
   */
  collectEveryMs: durationMs(60_000, 200, 3_600_000),
  /**
   * All coordinators have understood a higher feature level for so long: it is agreed on, and who
   * does not understand it takes no part any more, ms. Default 600 000, 0 to 86 400 000. Shorter =
   * what a new build brings is there sooner; longer = more time to go back to the old one.
   */
  raiseLevelAfterMs: durationMs(600_000, 0, 86_400_000),
  /**
   * For members with an instance profile or licences the leader asks EC2 this often whether it
   * would take the launch of a replacement (RunInstances with DryRun, which makes nothing), ms. For
   * every member it asks about the other calls of its plan in the same way, slowly, and keeps a yes
   * for so long. Default 86 400 000 (a day), 0 to 604 800 000; 0 = never. Shorter finds what is
   * gone sooner, and takes RunInstances tokens.
   */
  tryLaunchEveryMs: durationMs(86_400_000, 0, 604_800_000),
  /**
   * Ended recoveries kept per member in `history/`, 1 to 1 000. Default 20; never fewer than
   * `guard.flapLimit` of the group's policy, which counts them, and none goes before what it left
   * in EC2 is gone. More tells operators more, and costs etcd and every coordinator about 2 KiB
   * each.
   */
  historyKept: z.number().int().min(1).max(1_000).default(20),
  /**
   * A held recovery is tried again this often, ms (and at once when its hold is removed). Default
   * 30 000, 200 to 3 600 000.
   */
  retryHeldEveryMs: durationMs(30_000, 200, 3_600_000),
  /**
   * `keys`, `dropKeysInUse` and the key files are looked at this often, ms, and at once on SIGHUP.
   * Default 10 000, 200 to 600 000. Shorter takes a new key sooner and reads the files more often.
   */
  keysEveryMs: durationMs(10_000, 200, 600_000),
  /**
   * A key that lies in Parameter Store or Secrets Manager is read again this often, ms, and at once
   * on SIGHUP. Default 900 000, 10 000 to 86 400 000. Shorter takes a changed one sooner and asks
   * the store more often.
   */
  refetchKeysEveryMs: durationMs(900_000, 10_000, 86_400_000),
  /**
   * Recoveries run at the same time by this process. Default 200, 1 to 2 000. More empties a lost
   * zone sooner, each costs memory and EC2 calls.
   */
  recoveriesMax: z.number().int().min(1).max(2_000).default(200),
});

const ratio = (fallback: number) => z.number().gt(0).max(1).default(fallback);
const count = (fallback: number) => z.number().int().min(1).max(1_000_000).default(fallback);

const guard = z.strictObject({
  /**
   * This many members suspect within the window (and `massRatio` of all) is a mass failure: hold
   * and alert. Default 3. Lower holds sooner.
   */
  massMinimum: count(3),
  /**
   * Share of all members, (0, 1]. Default 0.2. Lower holds sooner, higher trusts detection further.
   */
  massRatio: ratio(0.2),
  /** As `massMinimum`, within one Availability Zone. Default 3. */
  zoneMinimum: count(3),
  /** As `massRatio`, within one Availability Zone. Default 0.5. */
  zoneRatio: ratio(0.5),
  /**
   * How long a suspicion counts towards a mass failure, ms. Default 120 000, 1 000 to 3 600 000.
   * Longer remembers slower landslides.
   */
  massWindowMs: durationMs(120_000, 1_000, 3_600_000),
  /**
   * Recoveries started per minute, in the long run. Default 1, 0.1 to 1 000. More replaces a big
   * loss sooner, also a falsely judged one.
   */
  budgetPerMinute: z.number().min(0.1).max(1_000).default(1),
  /** Recoveries that may start at once when none did lately. Default 2, 1 to 1 000. */
  budgetBurst: z.number().int().min(1).max(1_000).default(2),
});

const log = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

const fields = z.strictObject({
  /**
   * Name of this coordinator, unique in the cluster, 1-63 of `a-z 0-9 . _ -`. The same after a
   * restart.
   */
  id: z.string().refine(isName, 'want 1-63 of a-z 0-9 . _ -, first a letter or digit'),
  /**
   * Availability Zone this process runs in; opinions count by zone, so a wrong one weakens the
   * `dead` rule.
   */
  az: z.string().min(1).max(64),
  udp,
  http: HttpConfigSchema.prefault({}),
  etcd,
  aws: AwsConfigSchema.prefault({}),
  /**
   * One or two master secrets, oldest first; two while keys are rotated. Taken over without a
   * restart (`docs/key-rotation.md`).
   */
  keys: z.array(KeyConfigSchema).min(1).max(2),
  /**
   * Ids that may be dropped from `keys` although members still speak with them. Default none:
   * dropping one is refused. With the id of a compromised key here it goes at once, and members
   * that have no other are not judged by this coordinator (`KeyRetired`) until they have.
   */
  dropKeysInUse: z.array(z.number().int().min(1).max(255)).max(2).default([]),
  observer: observer.prefault({}),
  loop: loop.prefault({}),
  guard: guard.prefault({}),
  /** Defaults of every group; a `groups/<group>` record in etcd replaces it as a whole. */
  policy: GroupPolicySchema.prefault({}),
  /** What policies may have run around a recovery (`docs/hooks.md`). */
  hooks: HooksConfigSchema.prefault({}),
  notify: NotifyConfigSchema.prefault({}),
  events: EventsConfigSchema.prefault({}),
  inventory: InventoryConfigSchema.optional(),
  enrolment: EnrolmentConfigSchema.optional(),
  log: log.prefault({}),
});
type Fields = z.infer<typeof fields>;

interface Rule {
  readonly path: readonly string[];
  /** The refusal, naming both numbers; null when the rule holds. */
  readonly refusal: (c: Fields) => string | null;
}

/** How the configured lease is kept; the margin follows from the TTL unless given. */
export const leaseTimingOf = ({ etcd: e }: Pick<Fields, 'etcd'>): LeaseTiming => ({
  ttlMs: e.leaseTtlMs,
  keepaliveMs: e.keepaliveMs,
  marginMs: e.leaseMarginMs ?? defaultMarginMs(e.leaseTtlMs),
  callTimeoutMs: e.callTimeoutMs,
});

/**
 * What is left of a lease just before the next keepalive is due, after the margin: the longest call
 * a leader can always begin.
 */
export const leaseRoomMs = (c: Pick<Fields, 'etcd'>): number =>
  Math.floor(usableLeaseMs(c.etcd.leaseTtlMs, leaseTimingOf(c).marginMs)) - c.etcd.keepaliveMs;

/** What policies have to fit into, those in etcd as well as our own. */
export const policyLimitsOf = ({ observer, loop: l }: Pick<Fields, 'observer' | 'loop'>): PolicyLimits => ({
  heartbeatMs: observer.heartbeatMs,
  warmUpMs: observer.warmUpMs,
  tickMs: l.tickMs,
});

const policyRefusal = (c: Fields, rule: PolicyFault['rule']): string | null =>
  policyFaults(c.policy, policyLimitsOf(c)).find((fault) => fault.rule === rule)?.text ?? null;

const RULES: readonly Rule[] = [
  {
    path: ['etcd', 'keepaliveMs'],
    refusal: ({ etcd: e }) =>
      e.keepaliveMs * 3 > e.leaseTtlMs
        ? `3 × keepaliveMs = ${e.keepaliveMs * 3} > leaseTtlMs = ${e.leaseTtlMs}: two lost keepalives would lose the lease`
        : null,
  },
  {
    path: ['etcd', 'leaseTtlMs'],
    refusal: (c) => leaseTimingFaults(leaseTimingOf(c)).join('; ') || null,
  },
  {
    path: ['aws', 'callTimeoutMs'],
    refusal: (c) =>
      c.aws.callTimeoutMs > leaseRoomMs(c)
        ? `callTimeoutMs = ${c.aws.callTimeoutMs} > leaseRoomMs = ${leaseRoomMs(c)} (etcd.leaseTtlMs × 0.99 − margin − etcd.keepaliveMs): a leader could not always begin an EC2 call`
        : null,
  },
  {
    path: ['aws', 'rates', 'raised'],
    refusal: ({ aws: { rates: known } }) => {
      const unknown = Object.keys(known.raised).filter((action) => !isLimitedAction(action));
      return unknown.length === 0 ? null : `${unknown.join(', ')}: no action with a rate that we call`;
    },
  },
  {
    path: ['observer', 'minimumZones'],
    refusal: ({ observer: o }) =>
      o.minimumZones > o.minimumObservers
        ? `minimumZones = ${o.minimumZones} > minimumObservers = ${o.minimumObservers}: that many observers are never in that many zones`
        : null,
  },
  {
    path: ['observer', 'minimumZones'],
    refusal: ({ observer: o }) =>
      o.minimumObservers > 1 && o.minimumZones < 2
        ? `minimumZones = ${o.minimumZones} with minimumObservers = ${o.minimumObservers}: one zone's network trouble would look like a dead member; only a cluster of one coordinator may judge from one zone`
        : null,
  },
  { path: ['observer', 'warmUpMs'], refusal: (c) => policyRefusal(c, 'warmUp') },
  { path: ['policy', 'detect', 'suspectAfterMs'], refusal: (c) => policyRefusal(c, 'heartbeat') },
  { path: ['loop', 'tickMs'], refusal: (c) => policyRefusal(c, 'tick') },
  {
    path: ['keys'],
    refusal: ({ keys }) => {
      const ids = keys.map((one) => one.id);
      return new Set(ids).size < ids.length ? `ids ${ids.join(' and ')}: each id once` : null;
    },
  },
  {
    path: ['http', 'connectionsPerAddress'],
    refusal: ({ http: { connections, connectionsPerAddress: one } }) =>
      one < connections ? null : `${one} is not below connections = ${connections}: one address could have them all`,
  },
  {
    path: ['http', 'tls', 'clients'],
    refusal: ({ http: { tls } }) =>
      tls !== undefined && tls.clients.length > 0 && tls.clientCaFile === undefined
        ? 'clients have roles by certificate, and clientCaFile says of no authority that it vouches for them'
        : null,
  },
  {
    path: ['http', 'tls', 'clients'],
    refusal: ({ http: { tls } }) => {
      const shared = sharedName(tls?.clients ?? []);
      return shared === null ? null : sharedNameFault(shared);
    },
  },
  {
    path: ['dropKeysInUse'],
    refusal: ({ keys, dropKeysInUse }) => {
      const both = dropKeysInUse.filter((id) => keys.some((one) => one.id === id));
      return both.length > 0 ? `names id ${both.join(' and ')}, and so does keys: it is either kept or dropped` : null;
    },
  },
  {
    path: ['notify'],
    refusal: ({ notify }) => {
      const names = sinksOf(notify).map(({ name }) => name);
      const twice = names.filter((name, at) => names.indexOf(name) < at);
      return twice.length === 0 ? null : `${[...new Set(twice)].join(' and ')}: each name once`;
    },
  },
  {
    path: ['inventory'],
    refusal: ({ inventory: i }) =>
      i !== undefined && (i.sqlite === undefined) === (i.postgres === undefined)
        ? 'want one of sqlite and postgres: a history is kept in one place'
        : null,
  },
  {
    path: ['enrolment'],
    refusal: ({ enrolment, http }) =>
      enrolment !== undefined && http.tls === undefined
        ? 'agents are given their keys over TLS only: http.tls is missing'
        : null,
  },
  {
    path: ['etcd', 'passwordFile'],
    refusal: ({ etcd: e }) =>
      (e.username === undefined) !== (e.passwordFile === undefined) ? 'username and passwordFile come together' : null,
  },
  {
    path: ['etcd', 'tls'],
    refusal: ({ etcd: e }) =>
      (e.tls?.certFile === undefined) !== (e.tls?.keyFile === undefined) ? 'certFile and keyFile come together' : null,
  },
  {
    path: ['etcd', 'hosts'],
    refusal: ({ etcd: e }) => {
      const secure = e.hosts.filter((host) => host.startsWith('https://')).length;
      if (secure > 0 && secure < e.hosts.length)
        return `${secure} of ${e.hosts.length} hosts are https: one scheme for all`;
      return e.tls !== undefined && secure === 0 ? 'tls is given but the hosts are http' : null;
    },
  },
];

/**
 * See `docs/coordinator.md`. Parse with `loadConfig` / `parseConfig` of `@understudy/shared/node`.
 */
export const CoordinatorConfigSchema = fields.superRefine((config, context) => {
  for (const rule of RULES) {
    const message = rule.refusal(config);
    if (message !== null) context.addIssue({ code: 'custom', path: [...rule.path], message });
  }
});
export type CoordinatorConfig = z.infer<typeof CoordinatorConfigSchema>;

const withoutUserInfo = (text: string): string => {
  const url = new URL(text);
  if (url.username === '' && url.password === '') return text;
  url.username = 'masked';
  url.password = '';
  return url.toString();
};

/** Chat services put their secret into the path. */
const originOf = (url: string): string => `${new URL(url).origin}/…`;

/** Only the names of a program's environment are shown, and how long a script is. */
const maskedHooks = ({ programs, webhooks, commands }: CoordinatorConfig['hooks']): object => ({
  programs: programs.map((one) => ({ ...one, env: Object.keys(one.env) })),
  webhooks: webhooks.map((one) => ({ ...one, url: originOf(one.url) })),
  commands: commands.map(({ script, ...one }) => ({ ...one, scriptCharacters: script.length })),
});

/**
 * The effective configuration as it may be logged: no secret is in the file itself, except
 * credentials somebody put into a URL.
 */
export function maskedConfig(config: CoordinatorConfig): object {
  const { endpoint, kmsEndpoint, route53Endpoint, elbv2Endpoint, ssmEndpoint, secretsManagerEndpoint } = config.aws;
  return {
    ...config,
    etcd: { ...config.etcd, hosts: config.etcd.hosts.map(withoutUserInfo) },
    notify: { ...config.notify, webhooks: config.notify.webhooks.map((one) => ({ ...one, url: originOf(one.url) })) },
    hooks: maskedHooks(config.hooks),
    events: {
      ...config.events,
      ...(config.events.queueUrl !== undefined && { queueUrl: withoutUserInfo(config.events.queueUrl) }),
      ...(config.events.endpoint !== undefined && { endpoint: withoutUserInfo(config.events.endpoint) }),
    },
    aws: {
      ...config.aws,
      ...(endpoint === undefined ? {} : { endpoint: withoutUserInfo(endpoint) }),
      ...(kmsEndpoint === undefined ? {} : { kmsEndpoint: withoutUserInfo(kmsEndpoint) }),
      ...(route53Endpoint === undefined ? {} : { route53Endpoint: withoutUserInfo(route53Endpoint) }),
      ...(elbv2Endpoint === undefined ? {} : { elbv2Endpoint: withoutUserInfo(elbv2Endpoint) }),
      ...(ssmEndpoint === undefined ? {} : { ssmEndpoint: withoutUserInfo(ssmEndpoint) }),
      ...(secretsManagerEndpoint === undefined
        ? {}
        : { secretsManagerEndpoint: withoutUserInfo(secretsManagerEndpoint) }),
    },
  };
}

export const publicUrlOf = (config: CoordinatorConfig, boundPort: number): string =>
  config.http.publicUrl ??
  `${config.http.tls === undefined ? 'http' : 'https'}://${config.http.host.includes(':') ? `[${config.http.host}]` : config.http.host}:${boundPort}`;
