import { isPrimary } from '../model.ts';
import type {
  DescribeInstanceAttributeRequest,
  InstanceAttribute,
  ModifyInstanceAttributeRequest,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { need } from '../lookup.ts';
import type { LateSwitch, SimInstance } from '../model.ts';
import { switchRules } from '../model.ts';
import type { Call, World } from '../world.ts';
import { groupsFor } from './launch-network.ts';
import { addressesByInterface, instanceView } from './instance-views.ts';

/** `DescribeInstanceAttribute`: one attribute per call. */
export function describeInstanceAttribute(
  world: World,
  call: Call,
  input: DescribeInstanceAttributeRequest,
): InstanceAttribute {
  const truth = need(call, world.instances, 'instance', input.InstanceId);
  world.requireZone(truth.az);
  const one = world.instances.seen(truth.id, call) ?? truth;
  return { InstanceId: one.id, ...attribute(world, call, one, input.Attribute) };
}

function attribute(
  world: World,
  call: Call,
  one: SimInstance,
  name: DescribeInstanceAttributeRequest['Attribute'],
): InstanceAttribute {
  const view = () => instanceView(world, call, one, addressesByInterface(world, call));
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

function flip(world: World, call: Call, former: LateSwitch, value: boolean): LateSwitch {
  const lagMs = call.instant ? 0 : world.latency.sampleMs('consistency.protection');
  return { value, former: switchRules(former, world.nowMs), effectiveAtMs: world.nowMs + lagMs };
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
export function modifyInstanceAttribute(world: World, call: Call, input: ModifyInstanceAttributeRequest): object {
  const instance = need(call, world.instances, 'instance', input.InstanceId);
  world.requireZone(instance.az);
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
  if (input.BlockDeviceMappings) modifyDisks(world, instance, input);
  else if (input.SourceDestCheck || input.Groups) modifyNetwork(world, call, instance, input);
  else world.instances.update(instance.id, patchOf(world, call, instance, input), world.nowMs);
  return {};
}

function patchOf(
  world: World,
  call: Call,
  instance: SimInstance,
  input: ModifyInstanceAttributeRequest,
): Partial<SimInstance> {
  if (input.DisableApiStop) {
    return { stopProtection: flip(world, call, instance.stopProtection, input.DisableApiStop.Value ?? false) };
  }
  if (input.DisableApiTermination) {
    const value = input.DisableApiTermination.Value ?? false;
    return { terminationProtection: flip(world, call, instance.terminationProtection, value) };
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

function stoppedPatch(instance: SimInstance, input: ModifyInstanceAttributeRequest): Partial<SimInstance> {
  if (instance.state !== 'stopped') {
    throw new Ec2Error('IncorrectInstanceState', `The instance '${instance.id}' is not in the 'stopped' state.`);
  }
  if (input.InstanceType?.Value) return { instanceType: input.InstanceType.Value };
  if (input.EbsOptimized) return { ebsOptimized: input.EbsOptimized.Value ?? false };
  if (input.UserData?.Value) return { userData: btoa(String.fromCharCode(...input.UserData.Value)) };
  throw new Ec2Error('InvalidParameterValue', 'This attribute is not simulated');
}

function modifyDisks(world: World, instance: SimInstance, input: ModifyInstanceAttributeRequest): void {
  for (const mapping of input.BlockDeviceMappings ?? []) {
    const volume = instance.volumeIds
      .flatMap((id) => world.volumes.get(id) ?? [])
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
    world.volumes.update(volume.id, { attachments }, world.nowMs);
  }
}

function modifyNetwork(world: World, call: Call, instance: SimInstance, input: ModifyInstanceAttributeRequest): void {
  const primary = instance.networkInterfaceIds
    .flatMap((id) => world.networkInterfaces.get(id) ?? [])
    .find((one) => isPrimary(one.attachment));
  const subnet = world.subnets.get(instance.subnetId);
  if (!primary || !subnet) throw new Ec2Error('IncorrectInstanceState', `${instance.id} has no network interface`);
  if (instance.networkInterfaceIds.length > 1) {
    throw new Ec2Error('InvalidInstanceID', `There are multiple interfaces attached to instance '${instance.id}'.`);
  }
  const patch = input.Groups
    ? { groupIds: groupsFor(world, call, subnet, input.Groups) }
    : { sourceDestCheck: input.SourceDestCheck?.Value ?? true };
  world.networkInterfaces.update(primary.id, patch, world.nowMs);
}
