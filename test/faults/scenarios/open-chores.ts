import assert from 'node:assert/strict';
import { seedInstance } from '@understudy/cloud-sim';
import { until } from '@understudy/shared/node';
import type { Lab } from '../lab/lab.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { present } from '../strike.ts';
import { muteReplacement } from './mute-replacement.ts';
import { callEc2, crash, ended, holdOf } from './one-recovery.ts';
import { memberOutside } from './while.ts';

const ACTIVATED_WITHIN_MS = 60_000;
const HELD_WITHIN_MS = 60_000;

/** An instance that belongs to no member, and that nothing runs on. */
function bystander(lab: Lab): string {
  const { instanceId } = seedInstance(lab.sim, { az: 'us-east-1c' });
  lab.undoLater(() => void lab.sim.takeDown(instanceId, 'Client.UserInitiatedShutdown', 'terminate'));
  return instanceId;
}

/**
 * The replacement dies while its recovery is still open, because a person has put the address
 * elsewhere. The address is put back in the end.
 */
async function keptAddress(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const allocationId = present(lab.incumbent(member).allocationId);
  const keeper = bystander(lab);
  const mute = muteReplacement(lab);
  const first = await crash(lab, member);
  await mute.struck(first.opId);
  await callEc2(lab, 'AssociateAddress', {
    AllocationId: allocationId,
    InstanceId: keeper,
    AllowReassociation: true,
  });
  mute.end();
  const activated = () => lab.incumbent(member).instanceId !== first.oldInstanceId;
  await until('a replacement is activated', activated, ACTIVATED_WITHIN_MS);
  const held = async () => (await holdOf(lab, member)) === 'AddressHeldElsewhere';
  await until('its recovery is held for the address', held, HELD_WITHIN_MS);
  const second = await crash(lab, member);
  assert.notEqual(second.oldInstanceId, first.oldInstanceId);
  const histories = [await ended(lab, first)];
  await until('replaced again', () => lab.incumbent(member).instanceId !== second.oldInstanceId, ACTIVATED_WITHIN_MS);
  await until('held for the address again', held, HELD_WITHIN_MS);
  const { associationId } = present(lab.sim.core.region.addresses.get(allocationId));
  await callEc2(lab, 'DisassociateAddress', { AssociationId: associationId });
  histories.push(await ended(lab, second));
  assert.deepEqual(
    histories.map(({ outcome }) => outcome),
    ['replaced', 'replaced'],
  );
  assert.equal(histories[0]?.owedAddresses?.[0]?.allocationId, allocationId);
  const evidence = `${allocationId} on ${keeper}, no member's; ${second.oldInstanceId} dead with its recovery held as AddressHeldElsewhere`;
  const outcome = 'replaced as well, the address owed from the first to the second, and moved once it was let go of';
  return { evidence, outcome, victims: [member], replaced: [] };
}

export const OPEN_CHORES: readonly Scenario[] = [
  {
    name: 'address-kept-replacement-dies',
    fault: 'a person keeps the Elastic IP elsewhere, and the replacement dies while its recovery waits for it',
    expected: 'replaced again; the address follows once it is free',
    run: keptAddress,
  },
];
