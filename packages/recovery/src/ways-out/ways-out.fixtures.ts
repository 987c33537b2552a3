import type { Cloud, IntentRecord, OperatorRequestRecord } from '@understudy/shared';
import type { PlanInput } from '../core/plan-input.ts';
import { instanceFixture, planInputFixture } from '../core/plan.fixture.ts';
import type { PresentPolicy } from '../core/replanned.ts';
import type { StepKey } from '../core/step-id.ts';
import { requestRecord } from '@understudy/shared/testing';
import { readRequest } from '../request.ts';
import type { Run } from '../run.ts';
import { KEYS, MEMBER, OLD, type RigOptions, RunRig } from '../run.fixtures.ts';
import { carryOut } from './carry-out.ts';
import type { DriveStep } from './end-attempt.ts';
import { REVOKE } from '../steps/attempt-records.ts';

/** A recovery of which an operator asks something. */
export class Asked extends RunRig {
  readonly driven: string[] = [];
  /** null: not known. */
  policy: PresentPolicy | null = null;

  ask(over: Partial<OperatorRequestRecord>): void {
    this.put(KEYS.request(MEMBER), { ...requestRecord(MEMBER, this.opId), ...over });
  }
  hold(): void {
    const record = {
      member: MEMBER,
      reason: 'CloudDenied',
      text: 't',
      sinceWallMs: 1,
      untilWallMs: null,
      opId: this.opId,
    };
    this.put(KEYS.hold(MEMBER), record);
  }
  drive: DriveStep = async (_run: Run, key: StepKey): Promise<void> => void this.driven.push(key.id);

  /** The open attempt is ended at once. */
  readonly revoked: DriveStep = async (run, key) => {
    this.driven.push(key.id);
    const revoked = { instanceTerminated: true, permitGone: true } as const;
    await run.journal.write<typeof REVOKE>(key.id, { state: 'done', result: revoked });
  };

  /** `meanwhile`: before the transaction. */
  async carryOut(meanwhile: (run: Run) => unknown = () => undefined) {
    const run = await this.run();
    const { kv, keys } = run.parts;
    const request = await this.clock.runUntilSettled(readRequest({ kv, keys, member: MEMBER }, this.opId));
    if (!request) throw new Error('nothing is asked');
    meanwhile(run);
    const options = { drive: this.drive, policyOf: () => this.policy };
    return { run, outcome: await this.clock.runUntilSettled(carryOut(run, request, options)) };
  }
  has(key: string): boolean {
    return this.kv.entries(key).some((entry) => entry.key === key);
  }
  get stored(): IntentRecord {
    return JSON.parse(this.kv.entries(KEYS.intent(MEMBER))[0]?.value ?? '{}') as IntentRecord;
  }
  /** What came of the newest request. */
  get said(): string {
    return this.stored.acts?.at(-1)?.text ?? '';
  }
}

/** The recovery as it was before anything is activated: its activation is that of the plan. */
export function beforeActivation(options: RigOptions = {}): Asked {
  const rig = new Asked(options);
  const modRevision = rig.put(KEYS.activation(MEMBER), {
    member: MEMBER,
    incarnation: 1,
    instanceId: OLD,
    opId: null,
    ordinal: 0,
  });
  Object.assign(rig.intent.record, { activationModRevision: modRevision });
  Object.assign(rig.intent, { modRevision: rig.put(KEYS.intent(MEMBER), rig.intent.record) });
  return rig;
}

/** EC2 as it shows the stopped instance and all that a plan of it needs. */
export function cloudOfPlan(change: Partial<PlanInput> = {}): Partial<Cloud> {
  const input = planInputFixture({ instance: instanceFixture({ instanceId: OLD, state: 'stopped' }), ...change });
  const { types, offeredIn } = input.typeFacts;
  const offerings = [...offeredIn].flatMap(([instanceType, zones]) => [...zones].map((az) => ({ instanceType, az })));
  return {
    describeInstances: async () => [input.instance],
    describeVolumes: async () => [...input.volumes],
    describeSnapshots: async () => [],
    describeImages: async () => [],
    describeAddresses: async () => [...input.addresses],
    describeNetworkInterfaces: async () => [...input.networkInterfaces],
    describeSubnets: async () => [...input.subnets],
    describeUserData: async () => null,
    describeProtection: async () => input.protection,
    describeShutdownBehavior: async () => input.shutdownBehavior,
    describeInstanceTypes: async () => [...types.values()].flatMap((one) => one ?? []),
    describeTypeOfferings: async () => offerings,
    hasKeyPair: async () => true,
  };
}
