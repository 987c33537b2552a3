import { freshOf, recordItem } from '../core/record-move.ts';
import { targetItem } from '../core/target-move.ts';
import { type CallsOf, later, toldCall } from '../planned-call.ts';
import { LATER_REPLACEMENT } from '../steps/attempt-calls.ts';

const NO_DRY_RUN = 'the service has no dry run';

/** What the move of one DNS record makes: the set as it is, and what takes its place, in one. */
export const recordCalls: CallsOf = ({ intent: { opId, plan }, key: { item } }) =>
  (plan.records ?? [])
    .filter((one) => recordItem(one) === item)
    .map(({ zoneId, exact, values }) => {
      const becomes = Object.fromEntries(values.map((one) => [one.value, later(`${one.becomes} of the replacement`)]));
      const Changes = [
        { Action: 'DELETE', ResourceRecordSet: exact },
        { Action: 'CREATE', ResourceRecordSet: freshOf(exact, becomes) },
      ];
      const parameters = { HostedZoneId: zoneId, ChangeBatch: { Changes, Comment: `understudy ${opId}` } };
      return toldCall('swap', { action: 'ChangeResourceRecordSets', parameters }, NO_DRY_RUN);
    });

/** What the move of one target group makes: the replacement goes in, and the old instance out. */
export const targetCalls: CallsOf = ({ intent: { plan }, key: { item } }) =>
  (plan.targets ?? [])
    .filter((one) => targetItem(one) === item)
    .flatMap(({ targetGroupArn: TargetGroupArn, targetType, targets }) => {
      const Id = targetType === 'ip' ? later('private-ip of the replacement') : LATER_REPLACEMENT;
      const ports = [...new Set(targets.map((one) => one.port))];
      const fresh = ports.map((Port) => ({ Id, Port }));
      const old = targets.map(({ id, port }) => ({ Id: id, Port: port }));
      return [
        toldCall('register', { action: 'RegisterTargets', parameters: { TargetGroupArn, Targets: fresh } }, NO_DRY_RUN),
        toldCall(
          'deregister',
          { action: 'DeregisterTargets', parameters: { TargetGroupArn, Targets: old } },
          NO_DRY_RUN,
        ),
      ];
    });
