import type { Cloud, HoldRecord, LeaderTerm } from '@understudy/shared';
import { RecoveryEngine, type RecoveryEngineOptions } from './engine.ts';
import { cloudInstance, heard, KEYS, MEMBER, NEW, putThrough, type RigOptions, RunRig } from './run.fixtures.ts';
import type { RecoveryRunOutcome } from './runner.ts';

const PERMIT = { networkInterfaceId: 'eni-1', attachmentId: 'at-1', deviceIndex: 0, networkCardIndex: 0 };
const attached = { ...PERMIT, subnetId: 'subnet-1', privateIp: '10.0.0.9', groupIds: [], deleteOnTermination: true };

/** Everything the last step needs of EC2. */
export const LAST: Partial<Cloud> = {
  createTags: async () => undefined,
  deleteTags: async () => undefined,
  describeAddresses: async () => [],
  describeInstances: async () => [cloudInstance(NEW, { networkInterfaces: [attached] })],
};

export class EngineRig extends RunRig {
  readonly engine: RecoveryEngine;

  constructor(options: RigOptions = {}, over: Partial<RecoveryEngineOptions> = {}) {
    super(options);
    this.readings.set(NEW, heard());
    this.engine = new RecoveryEngine({ ...this.parts, policyOf: () => null, settings: {}, ...over });
  }

  begin(term: LeaderTerm = this.term().term): Promise<RecoveryRunOutcome> {
    return this.engine.run(this.intent, term);
  }
  recover(term?: LeaderTerm): Promise<RecoveryRunOutcome> {
    return this.clock.runUntilSettled(this.begin(term));
  }
  hold(): HoldRecord | null {
    const [entry] = this.kv.entries(KEYS.hold(MEMBER));
    return entry ? (JSON.parse(entry.value) as HoldRecord) : null;
  }
  putHold(opId: string | null): void {
    const record = { member: MEMBER, reason: 'Paused', text: 'by hand', sinceWallMs: 1, untilWallMs: null, opId };
    this.put(KEYS.hold(MEMBER), record);
  }
  get isOpen(): boolean {
    return this.kv.entries(KEYS.intent(MEMBER)).length === 1;
  }
}

/** A recovery of which only the last step is left. */
export function almostDone(cloud: Partial<Cloud> = {}, options: RigOptions = {}): EngineRig {
  const rig = new EngineRig({ ...options, cloud: { ...LAST, ...cloud } });
  putThrough(rig, 'activate');
  return rig;
}
