import { OperationError } from '@understudy/shared';
import type { Answer, Bench, Question } from '../question.ts';
import { refusedWith } from '../refusal.ts';
import { deletedInterface } from './interface-gone.ts';

async function assertTwoZones({ cloud, given }: Bench, other: string): Promise<void> {
  const subnets = await cloud.describeSubnets({ 'subnet-id': [given.subnetId, other] });
  if (new Set(subnets.map(({ az }) => az)).size === 2) return;
  throw new OperationError('CONFIG_INVALID', 'the two subnets are not in two zones');
}

async function ask(bench: Bench): Promise<Answer> {
  const { given, things } = bench;
  if (given.otherSubnetId === null) throw new OperationError('CONFIG_INVALID', 'no subnet of another zone was named');
  await assertTwoZones(bench, given.otherSubnetId);
  const token = things.token();
  const first = await refusedWith(things.launch({ token, networkInterfaceId: await deletedInterface(bench) }));
  if (first === null) return { verdict: 'unclear', saw: 'the launch that was to fail was accepted', figures: {} };
  const { networkInterfaceId } = await things.shownInterfaceIn(given.otherSubnetId);
  const second = await refusedWith(things.launch({ token, networkInterfaceId }));
  if (second === null)
    return { verdict: 'as-assumed', saw: 'launched in the other zone, under the same token', figures: { first } };
  const verdict = second.startsWith('Idempotent') ? 'otherwise' : 'unclear';
  return { verdict, saw: `refused in the other zone: ${second}`, figures: { first, second } };
}

export const tokenOtherZone: Question = {
  id: 'token-other-zone',
  asks: 'the same ClientToken after a failed launch, with an interface of another zone: launched, mismatch or refused?',
  restsOn: 'A7: a token counts within one zone only, so S7 has to guard launches across zones',
  remedy: 'nothing to fear: EC2 is stricter than supposed, and each attempt has a token of its own',
  needs: ['otherSubnetId'],
  use: { instances: 1, minutes: 5, diskGiB: 8 },
  calls: ['CreateNetworkInterface', 'DeleteNetworkInterface', 'RunInstances'],
  ask,
};
