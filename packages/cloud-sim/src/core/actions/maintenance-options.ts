import type {
  ModifyInstanceMaintenanceOptionsRequest,
  ModifyInstanceMaintenanceOptionsResult,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { need } from '../lookup.ts';
import type { Call, Region } from '../region.ts';

type Option = 'default' | 'disabled';

/** @throws InvalidParameterValue */
function optionOf(asked: string | undefined, former: Option): Option {
  if (asked === undefined) return former;
  if (asked === 'default' || asked === 'disabled') return asked;
  throw new Ec2Error('InvalidParameterValue', `Invalid value '${asked}' for a maintenance option`);
}

/** `ModifyInstanceMaintenanceOptions`, of a running or a stopped instance. */
export function modifyInstanceMaintenanceOptions(
  region: Region,
  call: Call,
  input: ModifyInstanceMaintenanceOptionsRequest,
): ModifyInstanceMaintenanceOptionsResult {
  const { id, az, state, maintenance } = need(call, region.instances, 'instance', input.InstanceId);
  region.requireZone(az);
  if (input.AutoRecovery === undefined && input.RebootMigration === undefined) {
    throw new Ec2Error('MissingParameter', 'The request must contain AutoRecovery or RebootMigration');
  }
  if (state !== 'running' && state !== 'stopped') {
    throw new Ec2Error('IncorrectInstanceState', `The instance '${id}' is ${state}`);
  }
  const asked = {
    autoRecovery: optionOf(input.AutoRecovery, maintenance.autoRecovery),
    rebootMigration: optionOf(input.RebootMigration, maintenance.rebootMigration),
  };
  region.instances.update(id, { maintenance: asked }, region.nowMs, call.instant);
  return { InstanceId: id, AutoRecovery: asked.autoRecovery, RebootMigration: asked.rebootMigration };
}
