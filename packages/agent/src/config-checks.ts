import * as z from 'zod';
import { durationMs, isName } from '@understudy/shared';
import { parseHostPort } from './host-port.ts';

const count = (fallback: number) => z.number().int().min(1).max(100).default(fallback);
export const absolutePath = z.string().regex(/^\//, 'want an absolute path');
export const command = z.array(z.string().min(1)).min(1, 'want a command and its arguments').max(100);
export const hostPort = z
  .string()
  .refine((text) => parseHostPort(text) !== null, 'want host:port with a port of 1-65535');

/**
 * Fields every check has. Both limits count results, so `rise` and `fall` times `intervalMs` is the
 * time a change takes to show.
 */
const timing = (intervalMs: number, deadlineMs: number, rise: number, fall: number) => ({
  /** false: the check is not run and its slot says `absent`. */
  enabled: z.boolean().default(true),
  /** Time between two starts, ms, 500-600 000. Shorter = earlier news, more work. */
  intervalMs: durationMs(intervalMs, 500, 600_000),
  /**
   * A result later than this is `unknown`, ms, 100-600 000, and shorter than `intervalMs`. Longer =
   * patience with a slow disk or network.
   */
  deadlineMs: durationMs(deadlineMs, 100, 600_000),
  /** Good results in a row before a failed check passes again. More = steadier, later. */
  rise: count(rise),
  /** Bad results in a row before a check fails. More = fewer false alarms, later ones. */
  fall: count(fall),
});

const networkCheck = z.strictObject({
  ...timing(5_000, 2_000, 2, 3),
  /**
   * `auto`: the default route's gateway answers ARP. `tcp:HOST:PORT`: connects within the deadline
   * (a refusal counts as reachable). `none`: not looked at.
   */
  gateway: z
    .string()
    .refine(
      (text) =>
        text === 'auto' || text === 'none' || (text.startsWith('tcp:') && parseHostPort(text.slice(4)) !== null),
      'want auto, none or tcp:HOST:PORT',
    )
    .default('auto'),
  /**
   * `none`, or which servers are asked for `name`. Any answer counts, NXDOMAIN too. `auto`: the
   * nameservers of /etc/resolv.conf.
   */
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
  /**
   * Block devices that must exist, as the running system names them (`/dev/nvme1n1` on Nitro unless
   * udev links `/dev/sdf`).
   */
  devices: z.array(absolutePath).max(30).default([]),
  /**
   * File systems that must be mounted, not read-only, and have room. 0 = no limit. Under a
   * `rootDir` plain folders count as mounted.
   */
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
  /**
   * Folders in which 4 KiB are written and fsynced each time. Default: `stateDir`. More = more
   * disks seen, more writes.
   */
  probeFiles: z.array(absolutePath).max(30).optional(),
});

const metadataCheck = z.strictObject(timing(10_000, 2_000, 1, 3));

const percent = z.number().min(0).max(100);

const pressureCheck = z.strictObject({
  ...timing(10_000, 2_000, 2, 3),
  /**
   * Share of the last minute, %, in which at least one process waited for a CPU. From here on the
   * check warns. 100 = hardly ever. Lower = earlier, noisier.
   */
  cpuWarnPercent: percent.default(90),
  /**
   * The same share, from which on the check fails. Absent = never: a busy machine is not a broken
   * one.
   */
  cpuFailPercent: percent.optional(),
  /**
   * Share of the last minute, %, in which all processes at once waited for memory (reclaim, swap).
   * From here on the check warns.
   */
  memoryWarnPercent: percent.default(10),
  /** The same share, from which on the check fails. Absent = never. */
  memoryFailPercent: percent.optional(),
});

const clockCheck = z.strictObject({
  ...timing(5_000, 1_000, 1, 3),
  /**
   * A step: the wall clock moved against the monotonic one by more than this between two runs, ms,
   * 50-86 400 000. Shorter = small corrections show too.
   */
  maxStepMs: durationMs(1_000, 50, 86_400_000),
  /** How long a step stays a warning, ms, 1 000-86 400 000. Longer = later readers still see it. */
  warnForMs: durationMs(300_000, 1_000, 86_400_000),
});

const CUSTOM_CHECKS_MAX = 16;

/** One of `exec`, `http` and `tcp`. */
const customCheck = z.strictObject({
  /** 1-63 of a-z 0-9 . _ -; for logs. */
  name: z.string().refine(isName, 'want 1-63 of a-z 0-9 . _ -'),
  /** A command and its arguments: exit code 0 within the deadline is good. */
  exec: command.optional(),
  /**
   * `http://…`, asked with GET; redirects are not followed. TLS would cost the agent several MB:
   * for https use `exec` with curl.
   */
  http: z
    .string()
    .refine((text) => text.startsWith('http://') && URL.canParse(text), 'want http://HOST[:PORT][/PATH]')
    .optional(),
  /** The one status that is good, 100-599. Absent = 200-399. Only with `http`. */
  status: z.number().int().min(100).max(599).optional(),
  /** `host:port`: a connection that is accepted within the deadline is good. */
  tcp: hostPort.optional(),
  ...timing(10_000, 5_000, 1, 3),
});

export const ChecksFields = z
  .strictObject({
    network: networkCheck.prefault({}),
    storage: storageCheck.prefault({}),
    metadata: metadataCheck.prefault({}),
    /** CPU and memory pressure (PSI). Not run where the kernel has no /proc/pressure. */
    pressure: pressureCheck.prefault({}),
    clock: clockCheck.prefault({}),
    /** Up to 16. They share one slot of the heartbeat: the worst of them shows. */
    custom: z.array(customCheck).max(CUSTOM_CHECKS_MAX).default([]),
  })
  .prefault({});

export type ChecksConfig = z.output<typeof ChecksFields>;
export type CustomCheckConfig = ChecksConfig['custom'][number];

/** Path below the config's root, and what is wrong there. */
export type Fault = [path: (string | number)[], message: string];

export function checkFaults({ custom, ...named }: ChecksConfig): Fault[] {
  const faults: Fault[] = [];
  const checks: [Fault[0], { readonly deadlineMs: number; readonly intervalMs: number }][] = [
    ...Object.entries(named).map(([name, check]): (typeof checks)[number] => [['checks', name], check]),
    ...custom.map((check, index): (typeof checks)[number] => [['checks', 'custom', index], check]),
  ];
  for (const [path, { deadlineMs, intervalMs }] of checks) {
    if (deadlineMs < intervalMs) continue;
    faults.push([[...path, 'deadlineMs'], `deadlineMs = ${deadlineMs} is not below intervalMs = ${intervalMs}`]);
  }
  return [...faults, ...pressureFaults(named.pressure), ...custom.flatMap(customFaults)];
}

function pressureFaults(pressure: ChecksConfig['pressure']): Fault[] {
  return (['cpu', 'memory'] as const).flatMap((what): Fault[] => {
    const warn = pressure[`${what}WarnPercent`];
    const fail = pressure[`${what}FailPercent`];
    if (fail === undefined || fail >= warn) return [];
    const text = `${what}FailPercent = ${fail} is below ${what}WarnPercent = ${warn}`;
    return [[['checks', 'pressure', `${what}FailPercent`], text]];
  });
}

function customFaults(check: CustomCheckConfig, index: number, all: readonly CustomCheckConfig[]): Fault[] {
  const faults: Fault[] = [];
  const path = ['checks', 'custom', index];
  const kinds = [check.exec, check.http, check.tcp].filter((kind) => kind !== undefined).length;
  if (kinds !== 1) faults.push([path, `want exactly one of exec, http and tcp, found ${kinds}`]);
  if (check.status !== undefined && check.http === undefined)
    faults.push([[...path, 'status'], `status = ${check.status} means nothing without http`]);
  const first = all.findIndex(({ name }) => name === check.name);
  if (first < index) faults.push([[...path, 'name'], `name = ${check.name} is that of checks.custom[${first}] too`]);
  return faults;
}
