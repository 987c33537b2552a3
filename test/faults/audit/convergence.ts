import { keyspace, MembersViewSchema, type MemberView } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { MEMBERS } from '../lab/configuration.ts';
import type { Lab, Seat } from '../lab/lab.ts';
import { ZONES } from '../lab/network.ts';

const KEYS = keyspace();
const CONVERGED_WITHIN_MS = 90_000;

/** What a coordinator says about the members. Empty while it does not answer. */
export async function membersBy(seat: Seat): Promise<readonly MemberView[]> {
  const reply = await seat.process.json('/v1/members');
  return reply === null ? [] : MembersViewSchema.parse(reply).members;
}

/**
 * An observer that has not heard a member since it began to judge can never accuse it (S11). One
 * that abstains is no better than one that is gone.
 */
const isHeardByAll = ({ opinions }: MemberView): boolean =>
  opinions.filter(({ verdict }) => verdict === 'alive').length === ZONES.length;

const isSettled = (view: MemberView): boolean =>
  isHeardByAll(view) && view.verdict === 'alive' && !view.degraded && view.recovery === null && view.hold === null;

/** What is not yet as it should be, in words. Empty when all is well. */
async function unsettled(lab: Lab): Promise<string[]> {
  const faults: string[] = [];
  for (const seat of lab.seats) {
    if ((await seat.process.get('/readyz'))?.status !== 200) faults.push(`${seat.id} is not ready`);
    const views = await membersBy(seat);
    const settled = views.filter(isSettled);
    if (settled.length !== MEMBERS.length)
      faults.push(`${seat.id}: ${views.flatMap((one) => (isSettled(one) ? [] : [describe(one)])).join(', ')}`);
  }
  for (const { member } of MEMBERS) {
    const instanceId = lab.activated(member)?.instanceId ?? null;
    if (instanceId === null) faults.push(`${member} is not enrolled`);
    else if (!lab.recorder.serves(instanceId)) faults.push(`${instanceId}, activated for ${member}, does not serve`);
  }
  const intents = await lab.store.range(KEYS.intents).catch(() => null);
  if (intents?.entries.length !== 0)
    faults.push(`open recoveries: ${intents?.entries.map(({ key }) => key).join(', ')}`);
  return faults;
}

const describe = (view: MemberView): string =>
  `${view.member} ${view.degraded ? 'degraded' : view.verdict} (${view.reason}; ${view.opinions.map(({ observer, verdict }) => `${observer}: ${verdict}`).join(', ')})${view.recovery === null ? '' : ' recovering'}${view.hold === null ? '' : ` held: ${view.hold.reason}`}`;

/** Starts the killed processes again. */
async function restartAll(lab: Lab): Promise<void> {
  for (const index of lab.seats.keys()) if (lab.etcd.hasEnded(index)) lab.etcd.launch(index);
  await lab.etcd.healthy();
  for (const seat of lab.seats) if (!seat.process.running) lab.restart(seat);
}

/**
 * Waits after the healing until every part runs and every member is alive, unheld, with no recovery
 * open (I10), by the word of every coordinator, and served by the instance that is activated for
 * it.
 */
export async function converge(lab: Lab): Promise<void> {
  await restartAll(lab);
  let last: readonly string[] = [];
  const settled = async () => {
    last = await unsettled(lab);
    return last.length === 0;
  };
  const inVain = `not settled ${CONVERGED_WITHIN_MS / 1_000} s after the healing`;
  await until('all is well again', settled, CONVERGED_WITHIN_MS).catch((error: unknown) => {
    throw new Error(`${inVain}: ${last.join('; ')}`, { cause: error });
  });
}
