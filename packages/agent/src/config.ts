import { isName } from '@understudy/shared';
import * as z from 'zod';
import { parseHostPort } from './config-values.ts';

const durationMs = (fallback: number, min: number, max: number) => z.number().int().min(min).max(max).default(fallback);
const count = (fallback: number) => z.number().int().min(1).max(100).default(fallback);
const absolutePath = z.string().regex(/^\//, 'want an absolute path');
const command = z.array(z.string().min(1)).min(1, 'want a command and its arguments').max(100);
const hostPort = z.string().refine((text) => parseHostPort(text) !== null, 'want host:port with a port of 1-65535');

/** Fields every check has. Both limits count results, so `rise` and `fall` times `intervalMs` is the time a change takes to show. */
const timing = (intervalMs: number, deadlineMs: number, rise: number, fall: number) => ({
  /** false: the check is not run and its slot says `absent`. */
  enabled: z.boolean().default(true),
  /** Time between two starts, ms, 500-600 000. Shorter = earlier news, more work. */
  intervalMs: durationMs(intervalMs, 500, 600_000),
  /** A result later than this is `unknown`, ms, 100-600 000, and shorter than `intervalMs`. Longer = patience with a slow disk or network. */
  deadlineMs: durationMs(deadlineMs, 100, 600_000),
  /** Good results in a row before a failed check passes again. More = steadier, later. */
  rise: count(rise),
  /** Bad results in a row before a check fails. More = fewer false alarms, later ones. */
  fall: count(fall),
});

const networkCheck = z.strictObject({
  ...timing(5_000, 2_000, 2, 3),
  /** `auto`: the default route's gateway answers ARP. `tcp:HOST:PORT`: connects within the deadline (a refusal counts as reachable). `none`: not looked at. */
  gateway: z
    .string()
    .refine(
      (text) =>
        text === 'auto' || text === 'none' || (text.startsWith('tcp:') && parseHostPort(text.slice(4)) !== null),
      'want auto, none or tcp:HOST:PORT',
    )
    .default('auto'),
  /** `none`, or which servers are asked for `name`. Any answer counts, NXDOMAIN too. `auto`: the nameservers of /etc/resolv.conf. */
  dns: z
    .union([
      z.literal('none'),
      z.strictObject({
        servers: z.union([z.literal('auto'), z.array(hostPort).min(1).max(5)]).default('auto'),
        name: z.string().min(1).max(253).default('amazonaws.com'),
      }),
    ])
    .prefault({}),
});

const storageCheck = z.strictObject({
  ...timing(10_000, 5_000, 1, 2),
  /** Block devices that must exist, as the running system names them (`/dev/nvme1n1` on Nitro unless udev links `/dev/sdf`). */
  devices: z.array(absolutePath).max(30).default([]),
  /** File systems that must be mounted, not read-only, and have room. 0 = no limit. Under a `rootDir` plain folders count as mounted. */
  mounts: z
    .array(
      z.strictObject({
        path: absolutePath,
        minFreeBytes: z.number().int().min(0).default(0),
        minFreeInodes: z.number().int().min(0).default(0),
      }),
    )
    .max(30)
    .default([]),
  /** Folders in which 4 KiB are written and fsynced each time. Default: `stateDir`. More = more disks seen, more writes. */
  probeFiles: z.array(absolutePath).max(30).optional(),
});

const metadataCheck = z.strictObject(timing(10_000, 2_000, 1, 3));

const AgentConfigFields = z.strictObject({
  /** `group/name`, as in the tags `understudy:group` and `understudy:member` of the instance. */
  member: z.custom<`${string}/${string}`>(
    (value) => typeof value === 'string' && value.split('/').length === 2 && value.split('/').every(isName),
    'want group/name, each 1-63 of a-z 0-9 . _ -',
  ),
  /** This member's own key (`understudy` derives it from a master secret). `id` 0-255 says which master. Either `hex` or `file`: 64 hex characters. */
  key: z.strictObject({
    id: z.number().int().min(0).max(255),
    hex: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'want 64 hex characters')
      .optional(),
    file: absolutePath.optional(),
  }),
  /** Where heartbeats go: every coordinator, `host:port`, 1-5. Names are resolved again every 30 s. */
  coordinators: z.array(hostPort).min(1).max(5),
  /** Keeps `state.json` (boot epoch, instance id). */
  stateDir: absolutePath.default('/var/lib/understudy'),
  /** Put before every path of this file (containers, cloud-sim). Empty = the real root. */
  rootDir: z
    .string()
    .regex(/^(\/.*)?$/, 'want an absolute path or nothing')
    .transform((text) => text.replace(/\/+$/, ''))
    .default(''),
  heartbeat: z
    .strictObject({
      /** Time between two heartbeats, ms, 50-60 000. Shorter = failures are seen earlier, more packets. */
      intervalMs: durationMs(1_000, 50, 60_000),
      /** Each wait is drawn from interval × (1 ± this), 0-0.5. More = fleets spread out better, arrival times tell less. */
      jitterRatio: z.number().min(0).max(0.5).default(0.1),
      /** IP version the coordinators are reached over. */
      family: z.union([z.literal(4), z.literal(6)]).default(4),
    })
    .prefault({}),
  checks: z
    .strictObject({
      network: networkCheck.prefault({}),
      storage: storageCheck.prefault({}),
      metadata: metadataCheck.prefault({}),
    })
    .prefault({}),
  activation: z
    .strictObject({
      /** Says in JSON whether this instance may serve; absent or another state than `active` = it may not. Best on a tmpfs. */
      file: absolutePath.default('/run/understudy/activation.json'),
      /** Run when this instance may serve. */
      onActivate: command.optional(),
      /** Run when it may not: at every start of the agent, when fenced, when the serve lease ends, at an orderly stop. */
      onDeactivate: command.optional(),
      /** systemd target started and stopped with the activation, e.g. `understudy-active.target`. */
      systemdTarget: z
        .string()
        .regex(/^[A-Za-z0-9:_.\\@-]+\.target$/, 'want NAME.target')
        .optional(),
      /** A hook that runs longer is killed and tried again, ms, 100-3 600 000. Longer = slow workloads get done, a stuck one blocks longer. */
      timeoutMs: durationMs(30_000, 100, 3_600_000),
      /** A pause of this whole machine or process (hibernation, a stopped VM) after which its activation is no longer believed, ms, 5 000-3 600 000. */
      distrustAfterPauseMs: durationMs(60_000, 5_000, 3_600_000),
    })
    .prefault({}),
  serve: z
    .strictObject({
      /** No ack of a coordinator that sees a live leader and says `active` for this long: stop serving, ms; 0 = never. Shorter = a fence that cannot be
       * proven is waited out sooner; longer = survives longer outages of all coordinators. */
      leaseMs: z.number().int().min(0).max(86_400_000).default(0),
      /** `deactivate`: hook, file, target. `poweroff`: the same, then `poweroffCommand`. */
      onExpiry: z.enum(['deactivate', 'poweroff']).default('deactivate'),
      poweroffCommand: command.default(['systemctl', 'poweroff', '--force']),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
});

export type AgentConfig = z.output<typeof AgentConfigFields>;

/** Unknown keys are errors; rules across fields reject with both numbers. */
export const AgentConfigSchema = AgentConfigFields.superRefine((config, context) => {
  for (const [path, message] of crossFieldFaults(config)) context.addIssue({ code: 'custom', path, message });
});

/** A coordinator acks at most every fifth heartbeat, so a shorter lease would run out while all is well. */
const LEASE_BEATS_MIN = 10;

function crossFieldFaults({ checks, serve, heartbeat, key, coordinators }: AgentConfig): [string[], string][] {
  const faults: [string[], string][] = [];
  for (const [name, check] of Object.entries(checks)) {
    if (check.deadlineMs >= check.intervalMs) {
      const text = `deadlineMs = ${check.deadlineMs} is not below intervalMs = ${check.intervalMs}`;
      faults.push([['checks', name, 'deadlineMs'], text]);
    }
  }
  const leaseMsMin = LEASE_BEATS_MIN * heartbeat.intervalMs;
  if (serve.leaseMs > 0 && serve.leaseMs < leaseMsMin) {
    const text = `leaseMs = ${serve.leaseMs} is below ${LEASE_BEATS_MIN} × heartbeat.intervalMs = ${leaseMsMin}`;
    faults.push([['serve', 'leaseMs'], text]);
  }
  if (serve.onExpiry === 'poweroff' && serve.leaseMs === 0) {
    faults.push([['serve', 'onExpiry'], 'onExpiry = poweroff never happens with leaseMs = 0']);
  }
  const keySources = [key.hex, key.file].filter((source) => source !== undefined).length;
  if (keySources !== 1) faults.push([['key'], `want exactly one of hex and file, found ${keySources}`]);
  const distinct = new Set(coordinators).size;
  if (distinct !== coordinators.length) {
    faults.push([['coordinators'], `${coordinators.length} coordinators named, but only ${distinct} different ones`]);
  }
  return faults;
}
