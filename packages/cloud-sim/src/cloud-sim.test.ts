import { SimClock } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { CloudSim } from './cloud-sim.ts';
import { inProcessTransport } from './in-process-transport.ts';
import { seedInstance } from './seed-instance.ts';

test('a seeded member runs at once, with its volumes and its address', async () => {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const send = inProcessTransport(sim);
  const db = seedInstance(sim, {
    member: 'db/one',
    az: 'us-east-1b',
    dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 20 }],
    elasticIp: true,
  });
  const answer = await clock.runUntilSettled(
    send('DescribeInstances', { Filters: [{ Name: 'tag-key', Values: ['understudy:group'] }], MaxResults: 100 }),
  );
  expect(answer).toMatchObject({
    Reservations: [
      {
        Instances: [
          {
            InstanceId: db.instanceId,
            State: { Name: 'running' },
            PublicIpAddress: db.publicIp,
            BlockDeviceMappings: [{ DeviceName: '/dev/xvda' }, { DeviceName: '/dev/sdf' }],
          },
        ],
      },
    ],
  });
});
