import { describe, expect, it } from 'vitest';
import { stepKey } from '../core/step-id.ts';
import { recordItem } from '../core/record-move.ts';
import { targetItem } from '../core/target-move.ts';
import type { CallsAbout, PlannedCall } from '../planned-call.ts';
import { recordCalls, targetCalls } from './names-calls.ts';

const exact = { Name: 'db.example.com.', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '10.0.0.4' }] };
const record = {
  ...{ zoneId: 'Z1', name: 'db.example.com.', type: 'A', setIdentifier: null, exact },
  values: [{ value: '10.0.0.4', becomes: 'private-ip' as const }],
};
const targets = {
  ...{ targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/db/1', targetType: 'instance' as const },
  ...{ targets: [{ id: 'i-old', port: 5432, az: null }], zones: null },
};

const about = (name: string, item: string): CallsAbout => ({
  intent: {
    opId: 'op-1',
    member: 'db/one',
    oldInstanceId: 'i-old',
    ordinal: 0,
    plan: { records: [record], targets: [targets] } as never,
  },
  ...{ key: stepKey(name, item), trialLaunch: null },
});
const toldIn = (calls: readonly PlannedCall[]) => calls.map((one) => [one.told?.action, one.told?.parameters]);

describe('the calls that are told of what names a member', () => {
  it('of a record: exactly the old set goes, the same with the address of the replacement comes', () => {
    expect(toldIn(recordCalls(about('record', recordItem(record))))).toEqual([
      [
        'ChangeResourceRecordSets',
        {
          HostedZoneId: 'Z1',
          ChangeBatch: {
            Changes: [
              { Action: 'DELETE', ResourceRecordSet: exact },
              {
                Action: 'CREATE',
                ResourceRecordSet: { ...exact, ResourceRecords: [{ Value: '<private-ip of the replacement>' }] },
              },
            ],
            Comment: 'understudy op-1',
          },
        },
      ],
    ]);
  });

  it('of a target group: the replacement goes in, the old instance out', () => {
    const { targetGroupArn: TargetGroupArn } = targets;
    expect(toldIn(targetCalls(about('target', targetItem(targets))))).toEqual([
      ['RegisterTargets', { TargetGroupArn, Targets: [{ Id: '<the replacement>', Port: 5432 }] }],
      ['DeregisterTargets', { TargetGroupArn, Targets: [{ Id: 'i-old', Port: 5432 }] }],
    ]);
  });
});
