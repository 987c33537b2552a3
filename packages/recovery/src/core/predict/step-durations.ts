import type { RecoveryPlan } from '@understudy/shared';
import { always, type Duration, inTurn, sideBySide } from './duration.ts';
import { EC2_TAKES, snapshotTakes } from './figures.ts';

/** A step that no line tells of. */
export const UNKNOWN_STEP: Duration = { typicalMs: 5_000, slowMs: 60_000 };

const { call, stopSkippingOs, stopGracefully } = EC2_TAKES;

/** From the look at `stopped` to the second one that believes it. */
const CONFIRMED = always(2_000);

function verifyTakes({ policy: { recover } }: RecoveryPlan): Duration {
  const settled = inTurn(EC2_TAKES.pending, EC2_TAKES.boot, always(recover.settleMs));
  return recover.requireStatusChecks ? sideBySide(settled, EC2_TAKES.statusChecks) : settled;
}

const captureTakes = ({ volumes }: RecoveryPlan): Duration =>
  sideBySide(
    ...volumes
      .filter((one) => (one.path ?? 'snapshot') === 'snapshot')
      .map((one) => snapshotTakes(one, { hasBase: one.hasBase ?? false })),
  );

/**
 * How long each step takes by published figures, from its plan. One line a step that a strategy,
 * path or identity move brings; a test holds that each registered step has one.
 */
export const STEP_DURATIONS: Readonly<Record<string, (plan: RecoveryPlan) => Duration>> = {
  fence: ({ policy }) => inTurn(call, policy.recover.fenceSkipOsShutdown ? stopSkippingOs : stopGracefully, CONFIRMED),
  capture: (plan) => inTurn(call, captureTakes(plan)),
  image: () => EC2_TAKES.registerImage,
  copy: () => inTurn(call, EC2_TAKES.copyVolume),
  detach: () => inTurn(call, EC2_TAKES.detachVolume),
  vacate: () => inTurn(call, call, EC2_TAKES.terminate),
  permit: () => EC2_TAKES.networkInterface,
  launch: () => EC2_TAKES.runInstances,
  giveback: () => inTurn(call, EC2_TAKES.attachVolume),
  seed: () => inTurn(call, stopSkippingOs),
  assemble: () => inTurn(call, EC2_TAKES.detachVolume, EC2_TAKES.attachVolume, call),
  verify: verifyTakes,
  revoke: () => EC2_TAKES.terminate,
  activate: () => ({ typicalMs: 100, slowMs: 2_000 }),
  address: () => EC2_TAKES.moveAddress,
  primary: () => call,
  secondary: () => EC2_TAKES.moveAddress,
  ipv6: () => EC2_TAKES.moveAddress,
  prefix: () => EC2_TAKES.moveAddress,
  interface: () => EC2_TAKES.moveInterface,
  // Route 53: "generally within 60 seconds". A target group: one check passed, every 30 s.
  record: () => ({ typicalMs: 30_000, slowMs: 60_000 }),
  target: () => ({ typicalMs: 30_000, slowMs: 60_000 }),
  reboot: () => call,
  restart: () => inTurn(call, EC2_TAKES.pending),
  bringback: () => inTurn(call, EC2_TAKES.pending),
  standdown: () => inTurn(call, stopSkippingOs),
  mend: ({ strategy, policy }) =>
    inTurn(strategy === 'reboot' ? EC2_TAKES.reboot : EC2_TAKES.boot, always(policy.recover.settleMs)),
  // Whatever the operator's program does.
  hook: () => UNKNOWN_STEP,
  // Before the recovery, beside everything.
  warmup: () => UNKNOWN_STEP,
  reserve: () => UNKNOWN_STEP,
  done: () => inTurn(call, call),
};
