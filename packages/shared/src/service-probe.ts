import * as z from 'zod';
import { duration } from './duration-field.ts';

/**
 * A look at one service of a member from outside, as its clients see it: every coordinator opens a
 * connection to the address the member's heartbeats come from. `docs/service-probes.md` is the
 * operator's page. Durations in ms.
 */

/** Shortest and longest pause between two looks. */
const INTERVAL_MS = { default: 5_000, min: 1_000, max: 300_000 } as const;
const TIMEOUT_MS = { default: 1_000, min: 100, max: 30_000 } as const;

const common = {
  /** Shown wherever the probe is. Default `<kind>-<port>`. 1-32 of a-z 0-9 -. */
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'want 1-32 of a-z 0-9 -')
    .optional(),
  /** TCP port, 1-65535. */
  port: z.number().int().min(1).max(65_535),
  /**
   * Pause between looks, ± 10 % jitter. Default 5 000, 1 000 to 300 000. Shorter notices sooner,
   * and costs a connection each time, from every coordinator.
   */
  intervalMs: duration(z.number().int().min(INTERVAL_MS.min).max(INTERVAL_MS.max)).default(INTERVAL_MS.default),
  /**
   * Time from the connection to the end of the answer. Default 1 000, 100 to 30 000. Shorter takes
   * a slow service for a dead one; longer notices later.
   */
  timeoutMs: duration(z.number().int().min(TIMEOUT_MS.min).max(TIMEOUT_MS.max)).default(TIMEOUT_MS.default),
  /**
   * This many looks in a row must pass before the service counts as passing. Default 2, 1 to 20.
   * More = steadier, later.
   */
  rise: z.number().int().min(1).max(20).default(2),
  /**
   * This many must fail in a row before it counts as failing. Default 3, 2 to 20. More = steadier,
   * later.
   */
  fall: z.number().int().min(2).max(20).default(3),
};

const filePath = z.string().min(1).max(4_096);
const serverName = z.string().regex(/^(?=.*[a-z])[a-z0-9.-]{1,253}$/i, 'want a host name, not an address');

const tcp = z.strictObject({
  /** How it is looked at: a connection, a TLS handshake, or an HTTP request. */
  kind: z.literal('tcp'),
  ...common,
});

const tls = z.strictObject({
  kind: z.literal('tls'),
  ...common,
  /**
   * Sent as SNI, and the name the certificate must carry. Absent: none is sent, and the certificate
   * must carry the address.
   */
  serverName: serverName.optional(),
  /**
   * Whether chain and name of the certificate are checked. Default true. False checks the handshake
   * and the expiry only.
   */
  verify: z.boolean().default(true),
  /** PEM file with the authorities to trust, on each coordinator. Absent: the system's. */
  caFile: filePath.optional(),
  /**
   * Warns (no more than that) when the certificate has fewer days left. Default 14, 0 to 365; 0 =
   * never.
   */
  warnExpiryDays: z.number().int().min(0).max(365).default(14),
});

const STATUS = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/;
const status = z.union([
  z.number().int().min(100).max(599),
  z
    .string()
    .regex(STATUS, 'want a status or a range, as 204 or "200-299"')
    .refine((text) => {
      const [from, to] = rangeOf(text);
      return from <= to;
    }, 'the range ends before it begins'),
]);

const http = z.strictObject({
  kind: z.literal('http'),
  ...common,
  /**
   * Path of a GET; 1 to 1 024 characters without white space. Redirects are not followed. Default
   * `/`.
   */
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]{0,1023}$/, 'begins with "/", printable ASCII without white space, at most 1024 characters')
    .default('/'),
  /** HTTPS. Default false. */
  tls: z.boolean().default(false),
  /** `Host`, and with `tls` as in a tls probe. Absent: the address. */
  serverName: serverName.optional(),
  /** As in a tls probe. It counts with `tls` only. */
  verify: z.boolean().default(true),
  /** As in a tls probe. */
  caFile: filePath.optional(),
  /** Answers that pass: statuses and ranges, 1 to 16. Default `["200-299"]`. */
  expectStatus: z.array(status).min(1).max(16).default(['200-299']),
  /**
   * Text that must stand in the first 64 KiB of the body, byte by byte. 1 to 256 characters.
   * Absent: the body is not read.
   */
  bodyContains: z.string().min(1).max(256).optional(),
});

export const ServiceProbeSchema = z.discriminatedUnion('kind', [tcp, tls, http]).superRefine((probe, context) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  if (probe.timeoutMs >= probe.intervalMs)
    refuse(`timeoutMs ${probe.timeoutMs} must be shorter than intervalMs ${probe.intervalMs}`);
  if (probe.kind === 'tcp') return;
  if (probe.caFile !== undefined && !probe.verify)
    refuse('caFile is given, but verify is false: nothing is checked by it');
  if (probe.kind === 'http' && !probe.tls && (probe.caFile !== undefined || !probe.verify))
    refuse('caFile and verify are for https: set tls: true');
});
export type ServiceProbe = z.infer<typeof ServiceProbeSchema>;

/** The probe's name wherever it is shown. */
export const probeName = (probe: ServiceProbe): string => probe.name ?? `${probe.kind}-${probe.port}`;

/** First and last status of `204` or `200-299`. */
function rangeOf(text: string): readonly [number, number] {
  const [, from, to] = STATUS.exec(text) ?? [];
  return [Number(from), Number(to ?? from)];
}

/** True when this status is one of those that pass. */
export const statusPasses = (status: number, expected: readonly (number | string)[]): boolean =>
  expected.some((one) => {
    const [from, to] = typeof one === 'number' ? [one, one] : rangeOf(one);
    return status >= from && status <= to;
  });

export interface ProbedPolicy {
  readonly confirmForMs: number;
  readonly serviceProbes: readonly ServiceProbe[];
  readonly serviceFailsAfterMs: number;
}

/**
 * Rules between the probes of a group and the rest of its policy. Each fault names both numbers.
 */
export function serviceProbeFaults(policy: ProbedPolicy): readonly string[] {
  const { serviceProbes, confirmForMs, serviceFailsAfterMs } = policy;
  const faults: string[] = [];
  const names = serviceProbes.map(probeName);
  for (const [index, name] of names.entries())
    if (names.indexOf(name) !== index)
      faults.push(`detect.serviceProbes ${names.indexOf(name)} and ${index} are both called ${name}`);
  for (const probe of serviceProbes) {
    const name = probeName(probe);
    // Two looks fit into the confirmation, so that one lost packet is no failed probe.
    if (probe.timeoutMs * 2 > confirmForMs)
      faults.push(`timeoutMs ${probe.timeoutMs} of ${name} must fit twice into detect.confirmForMs ${confirmForMs}`);
    const noticedMs = probe.fall * probe.intervalMs;
    if (serviceFailsAfterMs > 0 && serviceFailsAfterMs < noticedMs)
      faults.push(
        `detect.serviceFailsAfterMs ${serviceFailsAfterMs} must be at least fall × intervalMs of ${name}, which is ${noticedMs}`,
      );
  }
  if (serviceFailsAfterMs > 0 && serviceProbes.length === 0)
    faults.push(`detect.serviceFailsAfterMs is ${serviceFailsAfterMs}, but there are 0 detect.serviceProbes to act on`);
  return faults;
}
