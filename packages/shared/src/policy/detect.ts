import * as z from 'zod';
import { duration, durationMs } from '../duration-field.ts';
import { ServiceProbeSchema } from '../service-probe.ts';
import { DETECTION_PROFILES, HEARTBEAT_INTERVAL_STEP_MS, PROFILE_NAMES } from './detection-profile.ts';

const { heartbeatIntervalMs, suspectAfterMs, confirmForMs } = DETECTION_PROFILES.default;

/** When a member of the group counts as failed. Durations in ms. */
export const detectFields = z.strictObject({
  /**
   * The times below, as one word, where they are not written down themselves: `fast` 250 ms, 1.5 s
   * and 1 s; `default` 1 s, 5 s and 3 s; `calm` 1 s, 12 s and 8 s (`docs/detection.md`). Faster =
   * more heartbeats, and a shorter pause of the machine is a failover.
   */
  profile: z.enum(PROFILE_NAMES).default('default'),
  /**
   * How often the agents of the group are asked to speak. Acks carry it, so that it is in force
   * within seconds and nothing is installed anew; an agent whose own configuration says more often
   * stays at that. A multiple of 50. Shorter = a lost datagram matters less, and more packets.
   */
  heartbeatIntervalMs: duration(z.number().int().min(100).max(10_000).multipleOf(HEARTBEAT_INTERVAL_STEP_MS)).default(
    heartbeatIntervalMs,
  ),
  /**
   * Silence after which a member is suspect. Shorter = earlier alarm, longer = fewer false ones.
   */
  suspectAfterMs: durationMs(suspectAfterMs, 500, 600_000),
  /**
   * Further silence, with failing active probes, before `dead`. Shorter = faster failover, longer =
   * survives longer pauses of the target.
   */
  confirmForMs: durationMs(confirmForMs, 250, 600_000),
  /**
   * How long one check may fail without a break (agent-reported, or EC2's of attached EBS) before
   * the member counts as failed although it is heard; 0 = never act on it. Shorter = a machine that
   * runs and does not work is replaced sooner; longer, or 0 = a check that is wrong replaces
   * nobody.
   */
  degradedFailsAfterMs: durationMs(0, 0, 86_400_000),
  /** Looks at the member's services from outside, 0 to 4 (`docs/service-probes.md`). */
  serviceProbes: z.array(ServiceProbeSchema).max(4).default([]),
  /**
   * How long a service may be unreachable for all observers, while heartbeats are fine, before the
   * member counts as failed; 0 = never act on it. Shorter = sooner replaced, longer = more time for
   * the service, or a person, to mend it. At least `fall × intervalMs` of every probe.
   */
  serviceFailsAfterMs: durationMs(0, 0, 86_400_000),
  /**
   * How long an answered service probe keeps a silent member `suspect`, because its host is alive,
   * or another machine has its address. Default 600 000 (10 min), 0 to 86 400 000; 0 = answers are
   * shown, and delay nothing. Shorter = a hung machine whose kernel still answers is replaced
   * sooner; longer = more time to mend a dead agent before its member is replaced.
   */
  answeredProbesHoldForMs: durationMs(600_000, 0, 86_400_000),
  /** Treat a stop or termination an operator asked for as a failure too. */
  recoverOperatorStops: z.boolean().default(false),
  /**
   * Treat a shutdown by the OS (`Client.InstanceInitiatedShutdown`) as a failure; otherwise it
   * counts as the operator's will.
   */
  recoverOsShutdown: z.boolean().default(true),
});
