import { spawnSync } from 'node:child_process';
import { durationText } from '@understudy/shared';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

export interface ClockFacts {
  /** How far other clocks are ahead, in ms; HTTP says whole seconds. */
  readonly others: readonly { readonly whose: string; readonly aheadMs: number }[];
  /** Null: this host has nothing that tells. */
  readonly synchronised: boolean | null;
}

/** HTTP dates are whole seconds, and answers take time. In ms. */
const UNSURE_MS = 2_000;
const FAULT_MS = 10_000;
const REMEDY = 'run chrony against the time service of EC2 (169.254.169.123)';

/** Whether this host has the time that others have. Pure. */
export function judgeClock({ others, synchronised }: ClockFacts): readonly Finding[] {
  const off = others.filter(({ aheadMs }) => Math.abs(aheadMs) > UNSURE_MS);
  const sync: Finding[] =
    synchronised === null
      ? [note('whether the clock is kept by NTP is not known here (no timedatectl)')]
      : synchronised
        ? [ok('the clock is kept by NTP')]
        : [warning('the clock is not kept by NTP', REMEDY, 'timedatectl set-ntp true')];
  const differing = off.map(({ whose, aheadMs }) => {
    const text = `the clock of ${whose} is ${durationText(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`;
    return Math.abs(aheadMs) > FAULT_MS ? fault(text, REMEDY, 'chronyc tracking') : warning(text, REMEDY);
  });
  const same = others.length > 0 && off.length === 0 ? [ok(`${others.length} others have the same time`)] : [];
  return [...differing, ...same, ...sync];
}

/** Asks systemd. */
function synchronised(): boolean | null {
  const { stdout, status } = spawnSync('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], {
    ...{ encoding: 'utf8', timeout: 3_000 },
  });
  const said = status === 0 ? stdout.trim() : '';
  return said === 'yes' ? true : said === 'no' ? false : null;
}

export const clock = check(
  'clock',
  async ({ etcd, peers }: CoordinatorHost): Promise<ClockFacts> => {
    const [members, coordinators] = await Promise.all([etcd(), peers()]);
    const all = [
      ...members.map(({ host, clockAheadMs }) => ({ whose: host, aheadMs: clockAheadMs })),
      ...coordinators.map(({ coordinatorId, clockAheadMs }) => ({ whose: coordinatorId, aheadMs: clockAheadMs })),
    ];
    const others = all.flatMap(({ whose, aheadMs }) => (aheadMs === null ? [] : [{ whose, aheadMs }]));
    return { others, synchronised: synchronised() };
  },
  judgeClock,
);
