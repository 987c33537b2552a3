import { duration, durationMs, isName, secretPlaceFields, secretPlaceOf } from '@understudy/shared';
import * as z from 'zod';
import { WATCHDOG_PERIODS, withdrawalParts, withdrawMsOf } from './serve-times.ts';
import { REMOTE_KEY_SOURCES } from './core/fetched-key.ts';
import { absolutePath, checkFaults, ChecksFields, command, type Fault, hostPort } from './config-checks.ts';

const AgentConfigFields = z.strictObject({
  /** `group/name`, as in the tags `understudy:group` and `understudy:member` of the instance. */
  member: z.custom<`${string}/${string}`>(
    (value) => typeof value === 'string' && value.split('/').length === 2 && value.split('/').every(isName),
    'want group/name, each 1-63 of a-z 0-9 . _ -',
  ),
  /**
   * This member's own key (`understudy keys derive` makes it from a master secret). `id` 1-255 says
   * which master. Give one of `hex`, `file` (64 hex characters), `ssmParameter`, `secretsManager`
   * and `enrolAt`. A key that was taken over in a rotation (`stateDir/keys.json`) takes
   * precedence.
   */
  key: z.strictObject({
    id: z.number().int().min(1).max(255),
    hex: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'want 64 hex characters')
      .optional(),
    file: absolutePath.optional(),
    /**
     * A parameter or a secret, read with the role of this instance. It holds `KEY` or `ID KEY`.
     */
    ...secretPlaceFields,
    /**
     * HTTPS addresses of the coordinators, up to 5: they give the key for the signed identity of
     * this instance (docs/enrolment.md). The id comes with it.
     */
    enrolAt: z
      .array(
        z
          .string()
          .max(300)
          .regex(/^https:\/\/[A-Za-z0-9.:[\]-]+\/?$/, 'want https://HOST:PORT')
          .transform((text) => text.replace(/\/$/, '')),
      )
      .min(1)
      .max(5)
      .optional(),
    /**
     * Authorities of the coordinators' certificates, PEM, with `enrolAt`. Default: those that Node
     * brings.
     */
    caFile: absolutePath.optional(),
    /** Where a parameter or secret lies. Default: the Region of this instance. */
    region: z
      .string()
      .regex(/^[a-z0-9-]{4,30}$/, 'want the name of a Region')
      .optional(),
    /** Address of the service, for a VPC endpoint without private DNS and for simulators. */
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    /**
     * A fetched key is fetched again this often, ± 20 %, ms, 10 000-86 400 000, and at once on
     * SIGHUP. Shorter = a changed one is noticed sooner, more calls.
     */
    refetchEveryMs: durationMs(900_000, 10_000, 86_400_000),
    /**
     * Where an operator puts the next key while the agent runs: `ID KEY` in one line. Default
     * `stateDir/next.key`. No file = no rotation.
     */
    nextFile: absolutePath.optional(),
    /**
     * The key files are looked at this often, ms, 500-3 600 000, and at once on SIGHUP. Shorter = a
     * new key is tried sooner, more reads of two small files.
     */
    reloadEveryMs: durationMs(10_000, 500, 3_600_000),
  }),
  /**
   * Where heartbeats go: every coordinator, `host:port`, 1-5. Names are resolved again every 30 s.
   */
  coordinators: z.array(hostPort).min(1).max(5),
  /**
   * Keeps `state.json` (boot epoch, instance id) and `keys.json` (the member's keys after a
   * rotation). It is on the root volume, so that a replacement finds it.
   */
  stateDir: absolutePath.default('/var/lib/understudy'),
  /** Put before every path of this file (containers, cloud-sim). Empty = the real root. */
  rootDir: z
    .string()
    .regex(/^(\/.*)?$/, 'want an absolute path or nothing')
    .transform((text) => text.replace(/\/+$/, ''))
    .default(''),
  heartbeat: z
    .strictObject({
      /**
       * Time between two heartbeats, ms, 50-60 000. Shorter = failures are seen earlier, more
       * packets.
       */
      intervalMs: durationMs(1_000, 50, 60_000),
      /**
       * Each wait is drawn from interval × (1 ± this), 0-0.5. More = fleets spread out better,
       * arrival times tell less.
       */
      jitterRatio: z.number().min(0).max(0.5).default(0.1),
      /** IP version the coordinators are reached over. */
      family: z.union([z.literal(4), z.literal(6)]).default(4),
    })
    .prefault({}),
  checks: ChecksFields,
  activation: z
    .strictObject({
      /**
       * Says in JSON whether this instance may serve. When it is absent, or has another state than
       * `active`, it may not. Best on a tmpfs.
       */
      file: absolutePath.default('/run/understudy/activation.json'),
      /**
       * Exists exactly while this instance may serve, for `AssertPathExists=` in the workload's
       * unit. It is written before the target is started, and removed before anything is stopped.
       * On a tmpfs, so that it is gone after a reboot.
       */
      assertFile: absolutePath.default('/run/understudy/active'),
      /** Run when this instance may serve. */
      onActivate: command.optional(),
      /**
       * Run when it may not serve: at every start of the agent, when fenced, when the serve lease
       * ends, at an orderly stop.
       */
      onDeactivate: command.optional(),
      /**
       * systemd target started and stopped with the activation, e.g. `understudy-active.target`.
       */
      systemdTarget: z
        .string()
        .regex(/^[A-Za-z0-9:_.\\@-]+\.target$/, 'want NAME.target')
        .optional(),
      /**
       * Units that follow the target, up to 16: stopped with it, looked at, and killed when they do
       * not stop. Units that name the target in `PartOf=` or `Requisite=` are found without this.
       */
      workloads: z
        .array(z.string().regex(/^[A-Za-z0-9:_.\\@-]+\.(service|scope|slice)$/, 'want NAME.service'))
        .max(16)
        .default([]),
      /**
       * What a fenced machine does whose target or workloads are still up after they were killed.
       * `poweroff`: it switches itself off. `report`: it tries again, for ever, and says so.
       */
      onStuck: z.enum(['poweroff', 'report']).default('poweroff'),
      /**
       * A hook that runs longer is killed and tried again; workloads of the target get this long to
       * stop before they are killed. In ms, 100-3 600 000. Longer = slow workloads get done, a
       * stuck one blocks longer.
       */
      timeoutMs: durationMs(30_000, 100, 3_600_000),
      /**
       * A pause of this whole machine or process (hibernation, a stopped VM) after which its
       * activation is no longer believed, ms, 5 000-3 600 000.
       */
      distrustAfterPauseMs: durationMs(60_000, 5_000, 3_600_000),
    })
    .prefault({}),
  serve: z
    .strictObject({
      /**
       * The instance stops serving when no ack of a coordinator that sees a live leader says
       * `active` for this long, ms; 0 = never. Shorter = a fence that cannot be proven is waited
       * out sooner; longer = survives longer outages of all coordinators.
       */
      leaseMs: duration(z.number().int().min(0).max(86_400_000)).default(0),
      /**
       * Once the lease is over, everything has stopped within this time, ms, 1 000-3 600 000. It
       * has to leave the withdrawal its time, besides three times the watchdog's. Shorter = a
       * recovery that waits it out goes on sooner; longer = workloads that take long to stop are
       * not cut off. It is sent to the coordinators.
       */
      stopWithinMs: durationMs(60_000, 1_000, 3_600_000),
      /** `deactivate`: hook, file, target. `poweroff`: the same, then `poweroffCommand`. */
      onExpiry: z.enum(['deactivate', 'poweroff']).default('deactivate'),
      /**
       * Default: `systemctl poweroff --force`, and from the second time on that with `--force`
       * twice.
       */
      poweroffCommand: command.optional(),
      /**
       * Resets the machine when the workload does not stop in time, and when this agent is itself
       * paused or killed while it serves.
       */
      watchdog: z
        .strictObject({
          /** Linux watchdog device. Nobody else may have it open. */
          device: absolutePath.default('/dev/watchdog'),
          /**
           * The device has to be set to no more than this, ms, 1 000-600 000. Shorter = less to
           * wait out; longer = a busy machine is not reset by mistake.
           */
          timeoutMs: durationMs(10_000, 1_000, 600_000),
        })
        .optional(),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
});

export type AgentConfig = z.output<typeof AgentConfigFields>;

/**
 * The agent's configuration. Unknown keys are errors; rules across fields reject with both numbers.
 */
export const AgentConfigSchema = AgentConfigFields.superRefine((config, context) => {
  for (const [path, message] of crossFieldFaults(config)) context.addIssue({ code: 'custom', path, message });
});

const NOTHING_STOPS =
  'leaseMs > 0 with neither activation.onDeactivate nor activation.systemdTarget: at the end of the lease nothing would be stopped';

function serveFaults(serve: AgentConfig['serve'], activation: AgentConfig['activation']): Fault[] {
  if (serve.leaseMs === 0)
    return serve.watchdog ? [[['serve', 'watchdog'], 'watchdog guards nothing with leaseMs = 0']] : [];
  const withdrawMs = withdrawMsOf({ serve });
  const { before, hook = 0, target = 0 } = withdrawalParts(activation);
  if (hook + target === 0) return [[['serve', 'leaseMs'], NOTHING_STOPS]];
  const needsMs = before + hook + target;
  if (needsMs <= withdrawMs) return [];
  const beside = serve.watchdog ? ` less ${WATCHDOG_PERIODS} × watchdog.timeoutMs = ${serve.watchdog.timeoutMs}` : '';
  const { timeoutMs } = activation;
  const needs = [
    `${before} before anything is told`,
    ...(hook > 0 ? [`onDeactivate ${timeoutMs} and ${hook - timeoutMs} to kill it`] : []),
    ...(target > 0 ? [`systemdTarget ${timeoutMs} and ${target - timeoutMs} to kill what is left`] : []),
  ].join(' + ');
  const text = `stopWithinMs = ${serve.stopWithinMs}${beside} leaves ${withdrawMs}, below ${needsMs} = ${needs} (activation.timeoutMs = ${timeoutMs}): the last would be cut off`;
  return [[['serve', 'stopWithinMs'], text]];
}

/**
 * A coordinator acks at most every fifth heartbeat, so a shorter lease would run out while all is
 * well.
 */
const LEASE_BEATS_MIN = 10;

function crossFieldFaults({ activation, checks, serve, heartbeat, key, coordinators }: AgentConfig): Fault[] {
  const faults = checkFaults(checks);
  const leaseMsMin = LEASE_BEATS_MIN * heartbeat.intervalMs;
  if (serve.leaseMs > 0 && serve.leaseMs < leaseMsMin) {
    const text = `leaseMs = ${serve.leaseMs} is below ${LEASE_BEATS_MIN} × heartbeat.intervalMs = ${leaseMsMin}`;
    faults.push([['serve', 'leaseMs'], text]);
  }
  if (serve.onExpiry === 'poweroff' && serve.leaseMs === 0) {
    faults.push([['serve', 'onExpiry'], 'onExpiry = poweroff never happens with leaseMs = 0']);
  }
  faults.push(...serveFaults(serve, activation));
  if (activation.workloads.length > 0 && activation.systemdTarget === undefined)
    faults.push([['activation', 'workloads'], 'workloads follow a target: name it in activation.systemdTarget']);
  const sources = ['hex', 'file', ...REMOTE_KEY_SOURCES] as const;
  const found = sources.filter((source) => key[source] !== undefined).length;
  if (found !== 1) faults.push([['key'], `want exactly one of ${sources.join(', ')}, found ${found}`]);
  const isAtAws = secretPlaceOf(key) !== null;
  if (!isAtAws && (key.region ?? key.endpoint) !== undefined)
    faults.push([['key'], 'region and endpoint say where a key is fetched from, and none is']);
  if (key.caFile !== undefined && key.enrolAt === undefined)
    faults.push([['key', 'caFile'], 'caFile vouches for the coordinators of enrolAt, and there is none']);
  const distinct = new Set(coordinators).size;
  if (distinct !== coordinators.length) {
    faults.push([['coordinators'], `${coordinators.length} coordinators named, but only ${distinct} different ones`]);
  }
  return faults;
}
