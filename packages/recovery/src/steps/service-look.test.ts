import type { Endpoint, ProbeReport, ServiceProbe } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { RunRig } from '../run.fixtures.ts';
import { ServiceLook } from './service-look.ts';

const probe = (port: number): ServiceProbe =>
  ({ kind: 'tcp', port, timeoutMs: 1_000 + port }) as unknown as ServiceProbe;
const report = (code: ProbeReport['code']): ProbeReport => ({
  ...{ host: 'answered', code, httpStatus: null, expiresSoon: false },
});

interface SceneOptions {
  readonly probes?: readonly ServiceProbe[];
  readonly withoutPermit?: true;
  readonly withoutEyes?: true;
}

/** A replacement at 10.0.0.7 whose services answer what `says` has for their port. */
async function scene({ probes = [probe(80), probe(81)], withoutPermit, withoutEyes }: SceneOptions = {}) {
  const rig = new RunRig({ policy: { detect: { serviceProbes: [...probes] } } });
  const asked: (readonly [Endpoint, number])[] = [];
  const says = new Map<number, ProbeReport['code']>();
  if (!withoutEyes)
    Object.assign(rig.parts, {
      probeService: async (_probe: ServiceProbe, to: Endpoint, timeoutMs: number) => {
        asked.push([to, timeoutMs]);
        return report(says.get(to.port) ?? 'Passing');
      },
    });
  const result = { networkInterfaceId: 'eni-1', privateIp: '10.0.0.7' };
  rig.putStep(
    'permit-1',
    withoutPermit ? { state: 'failed', result: { failure: 'capacity' } } : { state: 'done', result },
  );
  const look = new ServiceLook(await rig.run());
  return { rig, says, asked, fault: () => rig.clock.runUntilSettled(look.fault()) };
}

describe('the services of a replacement', () => {
  test('are looked at by its own address, each for as long as its probe may take', async () => {
    const { asked, fault } = await scene();
    expect(await fault()).toBeNull();
    expect(asked).toEqual([
      [{ address: '10.0.0.7', port: 80 }, 1_080],
      [{ address: '10.0.0.7', port: 81 }, 1_081],
    ]);
  });
  test('that do not pass are named, with why', async () => {
    const { says, fault } = await scene();
    says.set(81, 'Refused');
    expect(await fault()).toBe('tcp-81: Refused');
    const both = await scene();
    both.says.set(80, 'Timeout').set(81, 'Refused');
    expect(await both.fault()).toBe('tcp-80: Timeout; tcp-81: Refused');
  });
  test('are looked at once a second at most; until then the last look counts', async () => {
    const { rig, says, asked, fault } = await scene();
    says.set(80, 'Refused');
    await fault();
    says.clear();
    await rig.clock.advance(999);
    expect(await fault()).toBe('tcp-80: Refused');
    expect(asked).toHaveLength(2);
    await rig.clock.advance(1);
    expect(await fault()).toBeNull();
    expect(asked).toHaveLength(4);
  });
  test('are not looked at where there is nothing to ask, nothing to ask with, or nobody', async () => {
    for (const options of [{ probes: [] }, { withoutEyes: true }, { withoutPermit: true }] as const) {
      const { says, asked, fault } = await scene(options);
      says.set(80, 'Refused');
      expect(await fault()).toBeNull();
      expect(asked).toEqual([]);
    }
  });
  test('are those of the attempt that is open, not of one that was ended', async () => {
    const { rig } = await scene();
    rig.putStep('revoke-1', { state: 'done' });
    const look = new ServiceLook(await rig.run());
    expect(await rig.clock.runUntilSettled(look.fault())).toBeNull();
  });
});
