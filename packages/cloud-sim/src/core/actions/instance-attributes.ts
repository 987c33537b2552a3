import { isPrimary, type LateSwitch, type SimInstance, switchRules } from '../model.ts';
import type {
  DescribeInstanceAttributeRequest,
  InstanceAttribute,
  ModifyInstanceAttributeRequest,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { INSTANCE_TYPES } from '../instance-types.ts';
import { need } from '../lookup.ts';
import type { Call, Region } from '../region.ts';
import { groupsFor } from './launch-network.ts';
import { addressesByInterface, instanceView } from './instance-views.ts';

/** `DescribeInstanceAttribute`: one attribute per call. */
export function describeInstanceAttribute(
  region: Region,
  call: Call,
  input: DescribeInstanceAttributeRequest,
): InstanceAttribute {
  const truth = need(call, region.instances, 'instance', input.InstanceId);
  region.requireZone(truth.az);
  const one = region.instances.seen(truth.id, call) ?? truth;
  return { InstanceId: one.id, ...attribute(region, call, one, input.Attribute) };
}

function attribute(
  region: Region,
  call: Call,
  one: SimInstance,
  name: DescribeInstanceAttributeRequest['Attribute'],
): InstanceAttribute {
  const view = () => instanceView(region, call, one, addressesByInterface(region, call));
  switch (name) {
    case 'userData':
      return { UserData: one.userData === null ? {} : { Value: one.userData } };
    case 'disableApiStop':
      return { DisableApiStop: { Value: one.stopProtection.value } };
    case 'disableApiTermination':
      return { DisableApiTermination: { Value: one.terminationProtection.value } };
    case 'instanceInitiatedShutdownBehavior':
      return { InstanceInitiatedShutdownBehavior: { Value: one.shutdownBehavior } };
    case 'instanceType':
      return { InstanceType: { Value: one.instanceType } };
    case 'rootDeviceName':
      return { RootDeviceName: { Value: one.rootDeviceName } };
    case 'ebsOptimized':
      return { EbsOptimized: { Value: one.ebsOptimized } };
    case 'blockDeviceMapping':
      return { BlockDeviceMappings: view().BlockDeviceMappings };
    case 'sourceDestCheck':
      return { SourceDestCheck: { Value: view().SourceDestCheck } };
    case 'groupSet':
      return { Groups: view().SecurityGroups };
    case 'enaSupport':
      return { EnaSupport: { Value: view().EnaSupport } };
    case 'sriovNetSupport':
      return { SriovNetSupport: {} };
    case 'enclaveOptions':
      return { EnclaveOptions: { Enabled: false } };
    case 'kernel':
      return { KernelId: {} };
    case 'ramdisk':
      return { RamdiskId: {} };
    case 'productCodes':
      return { ProductCodes: [] };
    case undefined:
      throw new Ec2Error('MissingParameter', 'The request must contain the parameter attribute');
    default:
      throw new Ec2Error('InvalidParameterValue', `Value (${String(name)}) for parameter attribute is invalid`);
  }
}

function flip(region: Region, call: Call, former: LateSwitch, value: boolean): LateSwitch {
  const lagMs = call.instant ? 0 : region.latency.sampleMs('consistency.protection');
  return { value, former: switchRules(former, region.nowMs), effectiveAtMs: region.nowMs + lagMs };
}

const SETTERS = [
  'DisableApiStop',
  'DisableApiTermination',
  'BlockDeviceMappings',
  'InstanceInitiatedShutdownBehavior',
  'SourceDestCheck',
  'Groups',
  'InstanceType',
  'UserData',
  'EbsOptimized',
  'Attribute',
] as const;

/** `ModifyInstanceAttribute`: exactly one attribute per call. Protection takes effect late. */
export function modifyInstanceAttribute(region: Region, call: Call, input: ModifyInstanceAttributeRequest): object {
  const instance = need(call, region.instances, 'instance', input.InstanceId);
  region.requireZone(instance.az);
  const given = SETTERS.filter((name) => input[name] !== undefined);
  if (given.length !== 1) {
    throw new Ec2Error(
      'InvalidParameterCombination',
      `Fields for multiple attribute types specified: want exactly one, got ${given.length} (${given.join(', ')})`,
    );
  }
  if (instance.state === 'terminated') {
    throw new Ec2Error('IncorrectInstanceState', `The instance '${instance.id}' is terminated.`);
  }
  if (input.BlockDeviceMappings) modifyDisks(region, instance, input);
  else if (input.SourceDestCheck || input.Groups) modifyNetwork(region, call, instance, input);
  else region.instances.update(instance.id, patchOf(region, call, instance, input), region.nowMs);
  return {};
}

function patchOf(
  region: Region,
  call: Call,
  instance: SimInstance,
  input: ModifyInstanceAttributeRequest,
): Partial<SimInstance> {
  if (input.DisableApiStop) {
    return { stopProtection: flip(region, call, instance.stopProtection, input.DisableApiStop.Value ?? false) };
  }
  if (input.DisableApiTermination) {
    const value = input.DisableApiTermination.Value ?? false;
    return { terminationProtection: flip(region, call, instance.terminationProtection, value) };
  }
  if (input.InstanceInitiatedShutdownBehavior) {
    const value = input.InstanceInitiatedShutdownBehavior.Value;
    if (value !== 'stop' && value !== 'terminate') {
      throw new Ec2Error('InvalidParameterValue', `Invalid value '${value}' for instanceInitiatedShutdownBehavior`);
    }
    return { shutdownBehavior: value };
  }
  return stoppedPatch(instance, input);
}

/** Empty user data are none. */
const base64Of = (bytes: Uint8Array): string | null =>
  bytes.length === 0 ? null : btoa(String.fromCharCode(...bytes));

function stoppedPatch(instance: SimInstance, input: ModifyInstanceAttributeRequest): Partial<SimInstance> {
  if (instance.state !== 'stopped') {
    throw new Ec2Error('IncorrectInstanceState', `The instance '${instance.id}' is not in the 'stopped' state.`);
  }
  const type = input.InstanceType?.Value;
  if (type !== undefined && INSTANCE_TYPES.get(type)?.architecture !== instance.architecture) {
    throw new Ec2Error('InvalidInstanceAttributeValue', `Invalid value '${type}' for instanceType.`);
  }
  if (type !== undefined) return { instanceType: type };
  if (input.EbsOptimized) return { ebsOptimized: input.EbsOptimized.Value ?? false };
  if (input.UserData?.Value) return { userData: base64Of(input.UserData.Value) };
  throw new Ec2Error('InvalidParameterValue', 'This attribute is not simulated');
}

function modifyDisks(region: Region, instance: SimInstance, input: ModifyInstanceAttributeRequest): void {
  for (const mapping of input.BlockDeviceMappings ?? []) {
    const volume = instance.volumeIds
      .flatMap((id) => region.volumes.get(id) ?? [])
      .find((one) => one.attachments.some((a) => a.instanceId === instance.id && a.device === mapping.DeviceName));
    if (!volume) {
      throw new Ec2Error(
        'InvalidInstanceAttributeValue',
        `No device is currently mapped at ${String(mapping.DeviceName)}`,
      );
    }
    const value = mapping.Ebs?.DeleteOnTermination;
    if (value === undefined) throw new Ec2Error('MissingParameter', 'Only DeleteOnTermination can be modified');
    const attachments = volume.attachments.map((a) =>
      a.instanceId === instance.id ? { ...a, deleteOnTermination: value } : a,
    );
    region.volumes.update(volume.id, { attachments }, region.nowMs);
  }
}

function modifyNetwork(region: Region, call: Call, instance: SimInstance, input: ModifyInstanceAttributeRequest): void {
  const primary = instance.networkInterfaceIds
    .flatMap((id) => region.networkInterfaces.get(id) ?? [])
    .find((one) => isPrimary(one.attachment));
  const subnet = region.subnets.get(instance.subnetId);
  if (!primary || !subnet) throw new Ec2Error('IncorrectInstanceState', `${instance.id} has no network interface`);
  if (instance.networkInterfaceIds.length > 1) {
    throw new Ec2Error('InvalidInstanceID', `There are multiple interfaces attached to instance '${instance.id}'.`);
  }
  const patch = input.Groups
    ? { groupIds: groupsFor(region, call, subnet, input.Groups) }
    : { sourceDestCheck: input.SourceDestCheck?.Value ?? true };
  region.networkInterfaces.update(primary.id, patch, region.nowMs);
}
