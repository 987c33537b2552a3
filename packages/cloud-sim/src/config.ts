import { duration } from '@understudy/shared';
import * as z from 'zod';
import { isLatencyName, LATENCY, type LatencyOverrides } from './core/latency.ts';
import { DEFAULT_KEPT } from './core/region.ts';

const latencyMs = duration(z.number().min(0).max(86_400_000));
/** No colon: systemd-nspawn parts its arguments by it. */
const absolute = z.string().regex(/^\/[^:]*$/, 'an absolute path without a colon');
const range = z.tuple([latencyMs, latencyMs]);

/** Configuration of `understudy cloud-sim`. Durations are in ms unless the name says otherwise. */
export const CloudSimConfigSchema = z.strictObject({
  /** Zones are the Region's name with a, b, c. */
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/)
    .default('us-east-1'),
  http: z
    .strictObject({
      /** Keep it on loopback unless you mean it: the admin API has no authentication. */
      host: z.string().default('127.0.0.1'),
      /** 0: the kernel chooses; read it from the `cloud-sim.listening` line. */
      port: z.number().int().min(0).max(65_535).default(4_566),
    })
    .prefault({}),
  /**
   * Latencies are divided by this, and bucket refills multiplied. A higher speed gives a quicker
   * demo; a lower one is closer to EC2.
   */
  speed: z.number().min(0.01).max(10_000).default(1),
  seed: z.number().int().min(0).max(4_294_967_295).default(1),
  /** Folder of volumes, snapshots and machines. It is not removed at the end. */
  workDir: z.string().min(1),
  machine: z
    .strictObject({
      /** `process`: an instance is the agent's process. `nspawn`: a booted operating system. */
      driver: z.enum(['process', 'nspawn']).default('process'),
      /**
       * Command started per booted instance that has user data, with `--config FILE` appended.
       * Empty: no process. For `process` only.
       */
      command: z.array(z.string().min(1)).max(64).default([]),
      /** For `nspawn` only. */
      nspawn: z
        .strictObject({
          /**
           * Folder with the operating system that every root volume begins with. It is never
           * written to.
           */
          tree: absolute,
          /** Bridge that joins the machines, in the network namespace of cloud-sim. */
          bridge: z.string().regex(/^[\w-]{1,15}$/),
          /** Address on it that leads elsewhere, and the length of the network's prefix. */
          router: z.ipv4(),
          prefixLength: z.number().int().min(8).max(30),
          /** Where a data volume is mounted, by its device name. Others are not seen inside. */
          mounts: z.record(z.string(), absolute).default({}),
          /** Folders that all machines see, read-only, by their path inside. */
          readOnly: z.record(absolute, absolute).default({}),
          /** Control group that the machines' own are made in. */
          cgroup: z.string().regex(/^[\w-]{1,64}$/),
        })
        .optional(),
    })
    .refine(({ driver, nspawn }) => (driver === 'nspawn') === (nspawn !== undefined), {
      error: 'driver nspawn and its section nspawn belong together',
    })
    .prefault({}),
  imds: z
    .strictObject({
      /**
       * Address every metadata listener is bound to, each on a port of its own. Keep it on loopback
       * unless the machines run in network namespaces of their own.
       */
      host: z.string().min(1).default('127.0.0.1'),
    })
    .prefault({}),
  credentials: z
    .strictObject({
      /** Access key ids that are accepted. Empty: any. */
      accessKeyIds: z.array(z.string().min(1)).max(100).default([]),
      /** 0 = no check; EC2's own window is 15 minutes. */
      clockSkewMaxMs: duration(z.number().int().min(0).max(86_400_000)).default(900_000),
    })
    .prefault({}),
  /** Ranges [min, max] of the latency table to replace, by name. */
  latency: z
    .record(z.string(), range)
    .default({})
    .refine((table) => Object.keys(table).every(isLatencyName), {
      error: (issue) => {
        const unknown = Object.keys(issue.input as object).filter((name) => !isLatencyName(name));
        return `unknown latency ${unknown.join(', ')}; known: ${Object.keys(LATENCY).join(', ')}`;
      },
    })
    .refine((table) => Object.values(table).every(([min, max]) => min <= max), {
      error: (issue) => {
        const wrong = Object.entries(issue.input as LatencyOverrides).find(([, pair]) => pair && pair[0] > pair[1]);
        return `latency ${wrong?.[0]}: minimum ${wrong?.[1]?.[0]} is above maximum ${wrong?.[1]?.[1]}`;
      },
    }),
  /**
   * How many of the newest entries are remembered. Long runs need fewer; an audit that looks far
   * back needs more.
   */
  kept: z
    .strictObject({
      /**
       * Calls and state changes in `GET /_sim/events`. Each call holds its input: 1 KiB or more.
       */
      events: z.number().int().min(100).max(1_000_000).default(DEFAULT_KEPT.events),
      launches: z.number().int().min(100).max(1_000_000).default(DEFAULT_KEPT.launches),
      /** ClientTokens. A forgotten one acts like a new one, so keep as many as can be repeated. */
      tokens: z.number().int().min(100).max(1_000_000).default(DEFAULT_KEPT.tokens),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});

export type CloudSimConfig = z.infer<typeof CloudSimConfigSchema>;
