import type { IntentRecord, OperatorRequestRecord } from '@understudy/shared';
import { requestRecord } from '../../leader/records.fixtures.ts';
import { readRequest } from '../request.ts';
import { KEYS, MEMBER, OLD, type RigOptions, RunRig } from '../run.fixtures.ts';
import { carryOut } from './carry-out.ts';
import type { DriveStep } from './end-attempt.ts';

/** A recovery of which an operator asks something. */
export class Asked extends RunRig {
  readonly driven: string[] = [];

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
  drive: DriveStep = async (_run, key) => void this.driven.push(key.id);

  /** `meanwhile`: before the transaction. */
  async carryOut(meanwhile: () => unknown = () => undefined) {
    const run = await this.run();
    const { kv, keys } = run.parts;
    const request = await this.clock.runUntilSettled(readRequest({ kv, keys, member: MEMBER }, this.opId));
    if (!request) throw new Error('nothing is asked');
    meanwhile();
    const options = { drive: this.drive, policyOf: () => null };
    return { run, outcome: await this.clock.runUntilSettled(carryOut(run, request, options)) };
  }
  has(key: string): boolean {
    return this.kv.entries(key).some((entry) => entry.key === key);
  }
  get stored(): IntentRecord {
    return JSON.parse(this.kv.entries(KEYS.intent(MEMBER))[0]?.value ?? '{}') as IntentRecord;
  }
}
/** The recovery as it was before anything is activated: its activation is that of the plan. */
export function beforeActivation(options: RigOptions = {}): Asked {
  const rig = new Asked(options);
  const modRevision = rig.put(KEYS.activation(MEMBER), { member: MEMBER, incarnation: 1, instanceId: OLD, opId: null });
  Object.assign(rig.intent.record, { activationModRevision: modRevision });
  Object.assign(rig.intent, { modRevision: rig.put(KEYS.intent(MEMBER), rig.intent.record) });
  return rig;
}
