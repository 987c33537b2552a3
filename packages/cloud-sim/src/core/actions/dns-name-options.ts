import type {
  ModifyPrivateDnsNameOptionsRequest,
  ModifyPrivateDnsNameOptionsResult,
  PrivateDnsNameOptionsResponse,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { need } from '../lookup.ts';
import type { SimInstance } from '../model.ts';
import type { Call, Region } from '../region.ts';

/** What DescribeInstances shows of them. */
export const dnsNameOptionsOf = ({ request, dnsNames }: SimInstance): PrivateDnsNameOptionsResponse => {
  const asked = { ...request.PrivateDnsNameOptions, ...dnsNames };
  return {
    HostnameType: asked.HostnameType ?? 'ip-name',
    EnableResourceNameDnsARecord: asked.EnableResourceNameDnsARecord ?? false,
    EnableResourceNameDnsAAAARecord: asked.EnableResourceNameDnsAAAARecord ?? false,
  };
};

/**
 * `ModifyPrivateDnsNameOptions`. The records of an instance that runs can be changed, its host name
 * only while it is stopped.
 * @throws IncorrectInstanceState
 */
export function modifyPrivateDnsNameOptions(
  region: Region,
  call: Call,
  input: ModifyPrivateDnsNameOptionsRequest,
): ModifyPrivateDnsNameOptionsResult {
  const instance = need(call, region.instances, 'instance', input.InstanceId);
  const { id, az, state } = instance;
  region.requireZone(az);
  const allowed = input.PrivateDnsHostnameType === undefined ? ['running', 'stopped'] : ['stopped'];
  if (!allowed.includes(state)) throw new Ec2Error('IncorrectInstanceState', `The instance '${id}' is ${state}`);
  const former = dnsNameOptionsOf(instance);
  const dnsNames = {
    HostnameType: input.PrivateDnsHostnameType ?? former.HostnameType,
    EnableResourceNameDnsARecord: input.EnableResourceNameDnsARecord ?? former.EnableResourceNameDnsARecord,
    EnableResourceNameDnsAAAARecord: input.EnableResourceNameDnsAAAARecord ?? former.EnableResourceNameDnsAAAARecord,
  };
  region.instances.update(id, { dnsNames }, region.nowMs, call.instant);
  return { Return: true };
}
