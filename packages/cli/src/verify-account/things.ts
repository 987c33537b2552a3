import type {
  Cloud,
  CloudInstance,
  CloudNetworkInterface,
  CloudSnapshot,
  InstanceState,
  Tags,
} from '@understudy/shared';
import { type Clock, isOperationError, type Random } from '@understudy/shared';
import type { Given } from './given.ts';
import { waitFor } from './waiting.ts';

/** On everything that a run makes: its id. Nothing else of Understudy looks at it. */
export const RUN_TAG = 'understudy:verify-account';

/** Describes lag behind by seconds (A9). */
const SHOWN_LIMIT_MS = 60_000;
const BOOT_LIMIT_MS = 5 * 60_000;
const STOP_LIMIT_MS = 30 * 60_000;
const COPY_LIMIT_MS = 30 * 60_000;

export interface LaunchWish {
  /** Default: a new one. */
  readonly token?: string;
  /** Default: a new interface in the first subnet. */
  readonly networkInterfaceId?: string;
  readonly userData?: string;
  /** Snapshots to attach as further disks. */
  readonly snapshotIds?: readonly string[];
}

const LETTERS = ['f', 'g', 'h'];

/**
 * Makes what questions need, everything tagged, so that it is found and removed whatever happens.
 */
export class Things {
  readonly #cloud: Cloud;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #given: Given;
  readonly runId: string;
  #isUncertain = false;

  constructor(parts: { cloud: Cloud; clock: Clock; random: Random; given: Given; runId: string }) {
    this.#cloud = parts.cloud;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#given = parts.given;
    this.runId = parts.runId;
  }

  /** The reply to something that was to be made was lost: it may appear later. */
  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  /** Makes something, and remembers when nobody can tell whether it was made. */
  async making<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (isOperationError(error) && error.code === 'CLOUD_OUTCOME_UNKNOWN') this.#isUncertain = true;
      throw error;
    }
  }

  get tags(): Tags {
    return { [RUN_TAG]: this.runId, Name: 'understudy verify-account' };
  }

  token(): string {
    return `account.${this.#random.hex(12)}`;
  }

  interfaceIn(subnetId: string): Promise<CloudNetworkInterface> {
    const request = { clientToken: this.token(), subnetId, groupIds: [], description: 'understudy verify-account' };
    return this.making(this.#cloud.createNetworkInterface({ ...request, tags: this.tags }));
  }

  /** An interface that EC2 has shown: calls that name it find it. */
  async shownInterfaceIn(subnetId: string): Promise<CloudNetworkInterface> {
    const made = await this.interfaceIn(subnetId);
    const ids = { 'network-interface-id': [made.networkInterfaceId] };
    const wait = { what: 'the new interface is shown', limitMs: SHOWN_LIMIT_MS, everyMs: 250 };
    await waitFor(this.#clock, wait, async () =>
      (await this.#cloud.describeNetworkInterfaces(ids)).length > 0 ? true : null,
    );
    return made;
  }

  /** @throws what EC2 answers to the launch */
  launch(wish: LaunchWish = {}): Promise<CloudInstance> {
    return this.making(this.#cloud.runInstances(this.launchRequest(wish)));
  }

  launchRequest({ token = this.token(), networkInterfaceId, userData, snapshotIds = [] }: LaunchWish) {
    const { imageId, instanceType, subnetId } = this.#given;
    const Tags = Object.entries(this.tags).map(([Key, Value]) => ({ Key, Value }));
    const disks = snapshotIds.map((SnapshotId, index) => ({
      DeviceName: `/dev/sd${LETTERS[index] ?? 'z'}`,
      Ebs: { SnapshotId, DeleteOnTermination: true },
    }));
    return {
      ...{ ImageId: imageId, InstanceType: instanceType, MinCount: 1, MaxCount: 1, ClientToken: token },
      ...(networkInterfaceId === undefined
        ? { SubnetId: subnetId }
        : { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: networkInterfaceId }] }),
      ...(userData !== undefined && { UserData: Buffer.from(userData).toString('base64') }),
      ...(disks.length > 0 && { BlockDeviceMappings: disks }),
      TagSpecifications: ['instance', 'volume'].map((ResourceType) => ({ ResourceType, Tags })),
    };
  }

  /** Null: EC2 does not show it (yet, or any more). */
  async stateOf(instanceId: string): Promise<InstanceState | null> {
    const [instance] = await this.#cloud.describeInstances({ 'instance-id': [instanceId] });
    return instance?.state ?? null;
  }

  /** @returns how long that took */
  async until(instanceId: string, state: InstanceState, everyMs?: number): Promise<number> {
    const limitMs = state === 'running' ? BOOT_LIMIT_MS : STOP_LIMIT_MS;
    const wait = { what: `an instance that is ${state}`, limitMs, ...(everyMs !== undefined && { everyMs }) };
    const { tookMs } = await waitFor(this.#clock, wait, async () =>
      (await this.stateOf(instanceId)) === state ? true : null,
    );
    return tookMs;
  }

  async running(wish: LaunchWish = {}): Promise<CloudInstance> {
    const instance = await this.launch(wish);
    await this.until(instance.instanceId, 'running');
    return instance;
  }

  /** Snapshots of the disks of the instance, as they are now; complete when this resolves. */
  async capture(instanceId: string): Promise<readonly CloudSnapshot[]> {
    const begun = await this.beginCapture(instanceId);
    await this.completed(begun);
    return begun;
  }

  beginCapture(instanceId: string): Promise<readonly CloudSnapshot[]> {
    return this.making(
      this.#cloud.createSnapshots({ instanceId, description: 'understudy verify-account', tags: this.tags }),
    );
  }

  async completed(snapshots: readonly CloudSnapshot[]): Promise<void> {
    const ids = snapshots.map(({ snapshotId }) => snapshotId);
    await waitFor(this.#clock, { what: 'complete snapshots', limitMs: COPY_LIMIT_MS, everyMs: 5_000 }, async () => {
      const seen = await this.#cloud.describeSnapshots({ 'snapshot-id': ids });
      return seen.length === ids.length && seen.every(({ state }) => state === 'completed') ? true : null;
    });
  }
}
