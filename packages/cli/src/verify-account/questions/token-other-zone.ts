import { OperationError } from '@understudy/shared';
import type { Answer, Bench, Question } from '../question.ts';
import { refusalOf } from '../refusal.ts';
import { deletedInterface } from './interface-gone.ts';

async function failedLaunch(bench: Bench, token: string): Promise<string> {
  try {
    await bench.things.launch({ token, networkInterfaceId: await deletedInterface(bench) });
    return 'none';
  } catch (error) {
    return refusalOf(error);
  }
}

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
  const first = await failedLaunch(bench, token);
  if (first === 'none') return { verdict: 'unclear', saw: 'the launch that was to fail was accepted', figures: {} };
  const { networkInterfaceId } = await things.shownInterfaceIn(given.otherSubnetId);
  try {
    await things.launch({ token, networkInterfaceId });
    return { verdict: 'as-assumed', saw: 'launched in the other zone, under the same token', figures: { first } };
  } catch (error) {
    const second = refusalOf(error);
    const verdict = second.startsWith('Idempotent') ? 'otherwise' : 'unclear';
    return { verdict, saw: `refused in the other zone: ${second}`, figures: { first, second } };
  }
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
