import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  type Instance,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type Clock, OperationError, TAG } from '@understudy/shared';
import { type LocalMember, REGION } from './local-member.ts';

const NOT_FOUND_ATTEMPTS = 40;

/**
 * What a person does with their own EC2 client: the unmodified SDK against cloud-sim's endpoint.
 */
export class Operator {
  readonly #ec2: EC2Client;
  readonly #clock: Clock;

  constructor(options: { readonly endpoint: string; readonly clock: Clock }) {
    this.#clock = options.clock;
    this.#ec2 = new EC2Client({
      region: REGION,
      endpoint: options.endpoint,
      credentials: { accessKeyId: 'AKIALOCALOPERATOR', secretAccessKey: 'local' },
    });
  }

  close(): void {
    this.#ec2.destroy();
  }

  async imageId(): Promise<string> {
    const { Images } = await this.#ec2.send(new DescribeImagesCommand({}));
    return must(Images?.[0]?.ImageId, 'no image in the cloud');
  }

  /** Zone letter → subnet. */
  async subnets(): Promise<ReadonlyMap<string, string>> {
    const { Subnets = [] } = await this.#ec2.send(new DescribeSubnetsCommand({ MaxResults: 100 }));
    return new Map(
      Subnets.map((each) => [must(each.AvailabilityZone, 'zone').slice(-1), must(each.SubnetId, 'subnet')]),
    );
  }

  async launch(member: LocalMember, options: { imageId: string; subnetId: string; userData: string }): Promise<string> {
    const result = await this.#ec2.send(
      new RunInstancesCommand({
        MinCount: 1,
        MaxCount: 1,
        ImageId: options.imageId,
        InstanceType: 'm6i.large',
        SubnetId: options.subnetId,
        ClientToken: `local-${member.group}-${member.name}`,
        UserData: Buffer.from(options.userData).toString('base64'),
        BlockDeviceMappings: member.dataVolumes.map((volume) => ({
          DeviceName: volume.deviceName,
          Ebs: { VolumeSize: volume.sizeGiB, VolumeType: 'gp3', DeleteOnTermination: member.dataGoesToo },
        })),
        TagSpecifications: [
          {
            ResourceType: 'instance',
            Tags: [
              { Key: TAG.group, Value: member.group },
              { Key: TAG.member, Value: member.name },
              { Key: 'Name', Value: member.member },
            ],
          },
        ],
      }),
    );
    return must(result.Instances?.[0]?.InstanceId, 'RunInstances returned no instance');
  }

  async running(instanceIds: readonly string[], limitMs: number): Promise<void> {
    const startedAtMs = this.#clock.monotonicMs();
    for (;;) {
      const instances = await this.instances({ 'instance-id': [...instanceIds], 'instance-state-name': ['running'] });
      if (instances.length === instanceIds.length) return;
      if (this.#clock.monotonicMs() - startedAtMs > limitMs)
        throw new Error(`only ${instances.length} of ${instanceIds.length} instances run after ${limitMs} ms`);
      await this.#clock.sleep(150);
    }
  }

  async giveElasticIp(instanceId: string): Promise<{ allocationId: string; publicIp: string }> {
    const { AllocationId, PublicIp } = await this.#ec2.send(new AllocateAddressCommand({ Domain: 'vpc' }));
    // EC2 is eventually consistent: an address allocated a moment ago may be unknown to the next
    // call.
    await this.#patiently(() => this.#ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId: instanceId })));
    return { allocationId: must(AllocationId, 'allocation id'), publicIp: must(PublicIp, 'public ip') };
  }

  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        const unknownYet = error instanceof Error && error.name.endsWith('.NotFound');
        if (!unknownYet || attempt === NOT_FOUND_ATTEMPTS) throw error;
        await this.#clock.sleep(250);
      }
    }
  }

  /** allocation id → instance that has the address. */
  async addressHolders(): Promise<ReadonlyMap<string, string | null>> {
    const { Addresses = [] } = await this.#ec2.send(new DescribeAddressesCommand({}));
    return new Map(Addresses.map((each) => [must(each.AllocationId, 'allocation id'), each.InstanceId ?? null]));
  }

  async stop(instanceId: string): Promise<void> {
    await this.#patiently(() => this.#ec2.send(new StopInstancesCommand({ InstanceIds: [instanceId] })));
  }

  /** An instance that was stopped runs again, with what is on its disks. */
  async start(instanceId: string): Promise<void> {
    await this.#patiently(() => this.#ec2.send(new StartInstancesCommand({ InstanceIds: [instanceId] })));
  }

  async instances(filters: Readonly<Record<string, string[]>>): Promise<readonly Instance[]> {
    const found: Instance[] = [];
    let token: string | undefined;
    do {
      const page = await this.#ec2.send(
        new DescribeInstancesCommand({
          MaxResults: 100,
          Filters: Object.entries(filters).map(([Name, Values]) => ({ Name, Values })),
          ...(token === undefined ? {} : { NextToken: token }),
        }),
      );
      found.push(...(page.Reservations ?? []).flatMap((each) => each.Instances ?? []));
      token = page.NextToken;
    } while (token !== undefined);
    return found;
  }

  /**
   * Every instance a recovery launched, terminated ones included: what "exactly once" is counted
   * by.
   */
  async launchedBy(opId: string): Promise<readonly Instance[]> {
    return this.instances({ [`tag:${TAG.op}`]: [opId] });
  }
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new OperationError('CLOUD_REJECTED', `the cloud's answer lacks: ${what}`);
  return value;
}
