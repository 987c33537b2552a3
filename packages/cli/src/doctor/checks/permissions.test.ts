import { AWS_CALLS, type Ec2Transport } from '@understudy/aws';
import { expect, it } from 'vitest';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { permissions } from './permissions.ts';

interface Sent {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const refusal = (name: string): Error => Object.assign(new Error(name), { name });

/** An EC2 that answers dry runs as told, and the calls it got. */
function ec2(answer: (action: string) => Error | Record<string, unknown>) {
  const sent: Sent[] = [];
  const send: Ec2Transport = async (action, input) => {
    sent.push({ action, input });
    if (input['DryRun'] !== true) return { Reservations: [{ Instances: [{ InstanceId: 'i-0a1b' }] }] };
    const said = answer(action);
    if (said instanceof Error) throw said;
    return said;
  };
  return { sent, send };
}
const findings = (send: Ec2Transport, tryMember: string | null) =>
  permissions.run({ ec2: async () => send, tryMember } as unknown as CoordinatorHost);

it('tries every read of the table, each as a dry run, and finds the one that is denied', async () => {
  const { sent, send } = ec2((action) =>
    refusal(action === 'DescribeVolumes' ? 'UnauthorizedOperation' : 'DryRunOperation'),
  );
  const found = await findings(send, null);
  expect(found.find(({ severity }) => severity === 'fault')?.text).toContain('ec2:DescribeVolumes is denied');
  const reads = AWS_CALLS.filter(({ action }) => action.startsWith('ec2:Describe')).length;
  // All but DescribeInstanceAttribute, and once more to see that dry runs are known.
  expect(sent).toHaveLength(reads - 1 + 1);
  expect(sent.every(({ input }) => input['DryRun'] === true)).toBe(true);
});

it('names the instance of the member that was chosen, and only in dry runs', async () => {
  const { sent, send } = ec2(() => refusal('DryRunOperation'));
  await findings(send, 'db/one');
  expect(sent).toContainEqual({ action: 'StopInstances', input: { InstanceIds: ['i-0a1b'], DryRun: true } });
  expect(sent.filter(({ input }) => input['DryRun'] !== true).map(({ action }) => action)).toEqual([
    'DescribeInstances',
  ]);
});

it('sends nothing that changes something to an EC2 that does not know dry runs', async () => {
  const { sent, send } = ec2(() => ({ Reservations: [] }));
  const found = await findings(send, 'db/one');
  expect(sent.filter(({ action }) => !action.startsWith('Describe'))).toEqual([]);
  expect(found.some(({ severity }) => severity === 'warning')).toBe(true);
});
