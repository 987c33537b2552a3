import {
  type Cloud,
  type CloudInstance,
  type CloudVolume,
  type HeartbeatReading,
  type IntentRecord,
  type JournalRecord,
  keyspace,
  LeaderTerm,
  type MemberId,
  monotonicMs,
  OperationError,
  type Random,
  type RecoveryPlan,
  serializeRecord,
  type TermLease,
} from '@understudy/shared';
import {
  intentRecord,
  type PolicyChange,
  policyWith,
  RecordingLog,
  SeededRandom,
  SimClock,
  SimKv,
  WRITTEN,
} from '@understudy/shared/testing';
import { Journal } from './journal.ts';
import { Run, type RunParts } from './run.ts';
import type { OpenIntent } from './runner.ts';
import { REGISTERED } from './registered.ts';
import { stepsOf } from './registry.ts';
import { snapshotAndReplace } from './strategies/snapshot-and-replace.ts';
import { DEFAULT_RECOVERY_SETTINGS, type RecoverySettings } from './settings.ts';
import type { RequestOf } from './step-record.ts';
import { LAUNCH, PERMIT, REVOKE } from './steps/attempt-records.ts';

export const KEYS = keyspace();
export const MEMBER: MemberId = 'db/one';
export const OLD = 'i-old';

export const PERMIT_REQUEST: RequestOf<typeof PERMIT> = {
  ...{ round: 1, candidateIndex: 0, candidate: { subnetId: 'subnet-1', az: 'us-east-1a', instanceType: 'm5.large' } },
  create: { clientToken: 't', subnetId: 'subnet-1', groupIds: [], description: 'd', tags: {} },
};
export const LAUNCH_REQUEST: RequestOf<typeof LAUNCH> = { networkInterfaceId: 'eni-1', run: { ClientToken: 't' } };
export const REVOKE_REQUEST: RequestOf<typeof REVOKE> = {
  ...{ round: 1, candidateIndex: 0, failure: 'unknown', text: 'no answer', instanceId: null },
  ...{ networkInterfaceId: 'eni-1', seriesLength: 1, seriesSinceWallMs: 0 },
};

export interface RigOptions {
  /** What is not here is refused with an error that is nobody's answer. */
  readonly cloud?: Partial<Cloud>;
  readonly intent?: Partial<IntentRecord>;
  readonly plan?: Partial<RecoveryPlan>;
  readonly policy?: PolicyChange;
  readonly settings?: Partial<RecoverySettings>;
  /** In [0, 1): how long pauses after failures are, of what they may be. Absent: by chance. */
  readonly jitter?: number;
}

/** Answers what a test gives it; everything else is a mistake of the test. */
const cloudOf = (given: Partial<Cloud>): Cloud =>
  new Proxy(given as Cloud, {
    get: (target, name) =>
      Reflect.get(target, name) ?? (() => Promise.reject(new Error(`the test has no ${String(name)}`))),
  });

export const cloudError = (code: ConstructorParameters<typeof OperationError>[0], upstreamCode?: string) =>
  new OperationError(code, upstreamCode ?? 'the test', {
    ...(upstreamCode === undefined ? {} : { upstreamCode, httpStatus: 400 }),
    action: 'TheCall',
  });

/** Ids that are random stay so: they must differ. */
const constant = (jitter: number): Random => {
  const seeded = new SeededRandom(1);
  return { next: () => jitter, hex: (byteCount) => seeded.hex(byteCount) };
};

/** As EC2 shows it: running, with nothing on it. */
export const cloudInstance = (instanceId: string, over: Partial<CloudInstance> = {}): CloudInstance => ({
  ...{ instanceId, state: 'running', stateReasonCode: null, stateReasonText: null, imageId: 'ami-1' },
  ...{ instanceType: 'm5.large', az: 'us-east-1a', subnetId: 'subnet-1', privateIp: '10.0.0.1', publicIp: null },
  ...{ keyName: null, iamInstanceProfileArn: null, architecture: 'x86_64', rootDeviceName: '/dev/xvda' },
  ...{ ebsOptimized: false, detailedMonitoring: false, clientToken: null, launchedAtWallMs: 0, tags: {} },
  ...{ volumes: [], networkInterfaces: [], raw: {} },
  ...over,
});

/** As EC2 shows it: in use, on nothing that is shown. */
export const cloudVolume = (volumeId: string, over: Partial<CloudVolume> = {}): CloudVolume => ({
  ...{ volumeId, state: 'in-use', az: 'us-east-1a', sizeGiB: 8, volumeType: 'gp3', iops: null, throughputMiBps: null },
  ...{ encrypted: false, kmsKeyId: null, multiAttach: false, attachments: [], tags: {} },
  ...over,
});

/** What is heard of an instance that runs and passes. */
export const heard = (over: Partial<HeartbeatReading> = {}): HeartbeatReading => ({
  lastHeardAtMs: monotonicMs(0),
  passingSinceMs: monotonicMs(0),
  ...{ bootEpoch: 1n, serving: false, checks: [], servePromise: null },
  ...over,
});

/**
 * One recovery whose intent is written, over a simulated etcd, with leaders that each have a term
 * of their own.
 */
export class RunRig {
  readonly clock = new SimClock();
  readonly kv = new SimKv({ clock: this.clock });
  readonly log = new RecordingLog();
  readonly readings = new Map<string, HeartbeatReading>();
  readonly intent: OpenIntent;
  readonly parts: RunParts;
  /**
   * What the term in force still holds, ms; 0: its deadline has passed, and nobody has noticed yet.
   */
  remainingMs = 8_400;
  #terms = 0;

  constructor(options: RigOptions = {}) {
    this.parts = {
      cloud: cloudOf(options.cloud ?? {}),
      ...{ kv: this.kv.client('c1'), keys: KEYS, clock: this.clock, log: this.log },
      random: options.jitter === undefined ? new SeededRandom(1) : constant(options.jitter),
      heartbeats: { reading: (_member, instanceId) => this.readings.get(instanceId) ?? null },
      settings: { ...DEFAULT_RECOVERY_SETTINGS, ...options.settings },
    };
    this.intent = this.#begun(options);
  }

  #begun({ intent, plan, policy }: RigOptions): OpenIntent {
    const plain = intentRecord(MEMBER, OLD);
    const record: IntentRecord = {
      ...plain,
      startedAtWallMs: this.clock.wallMs(),
      plan: { ...plain.plan, ...plan, policy: policyWith(policy) },
      ...intent,
    };
    return { record, modRevision: this.put(KEYS.intent(MEMBER), record) };
  }

  /** As a person with etcdctl writes it; its revision. */
  put(key: string, record: object | string): number {
    const value = typeof record === 'string' ? record : serializeRecord({ ...WRITTEN, ...record });
    return this.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] }).revision;
  }

  delete(key: string): void {
    this.kv.apply({ compare: [], writes: [{ kind: 'delete', key }] });
  }

  get opId(): string {
    return this.intent.record.opId;
  }

  /** A step as an earlier leader left it. */
  putStep(step: string, over: Partial<JournalRecord> = {}): number {
    const nowWallMs = this.clock.wallMs();
    const times = { startedAtWallMs: nowWallMs, endedAtWallMs: over.state === 'done' ? nowWallMs : null };
    return this.put(KEYS.journalStep(this.opId, step), {
      ...{ opId: this.opId, step, state: 'started', term: 1, request: null, result: null, error: null },
      ...times,
      ...over,
    });
  }

  /** What etcd has of a step; null: nothing. */
  step(step: string): JournalRecord | null {
    const [entry] = this.kv.entries(KEYS.journalStep(this.opId, step));
    return entry ? (JSON.parse(entry.value) as JournalRecord) : null;
  }

  /**
   * A new term; whoever led before is not the leader any more in the store, and may not know it.
   */
  term(): { readonly term: LeaderTerm; readonly lose: () => void } {
    this.#terms += 1;
    this.delete(KEYS.leader);
    this.put(KEYS.leader, { coordinatorId: `c${this.#terms}`, az: 'az-a', httpUrl: 'http://test' });
    const [entry] = this.kv.entries(KEYS.leader);
    if (!entry) throw new Error('no leader key');
    const lost = new AbortController();
    const remainingMs = () => (lost.signal.aborted ? 0 : this.remainingMs);
    const keeper: TermLease = { leaseId: '1', signal: lost.signal, validUntilMs: monotonicMs(0), remainingMs };
    const { clock, random } = this.parts;
    const deps = { store: this.kv.client(`term-${this.#terms}`), clock, random };
    const term = new LeaderTerm({ deps, keys: KEYS, coordinatorId: `c${this.#terms}`, keeper, entry });
    return { term, lose: () => lost.abort(new OperationError('LEASE_LOST', 'the test ended it')) };
  }

  /** A run under a new term that has read the journal. */
  async run(): Promise<Run & { readonly lose: () => void }> {
    const { term, lose } = this.term();
    const { kv } = this.parts;
    const wallMs = () => this.clock.wallMs();
    const journal = new Journal({
      kv,
      keys: KEYS,
      intent: this.intent,
      term,
      wallMs,
      records: stepsOf(REGISTERED).map((kind) => kind.record),
    });
    await this.clock.runUntilSettled(journal.load());
    return Object.assign(
      new Run(
        this.parts,
        { intent: this.intent, strategy: snapshotAndReplace, seams: REGISTERED },
        term,
        journal,
        this.clock.monotonicMs(),
      ),
      { lose },
    );
  }
}

export const NEW = 'i-new';

/** The request and result of each step that is done in a recovery without troubles. */
const ENDED: Readonly<Record<string, Pick<JournalRecord, 'request' | 'result'>>> = {
  fence: { request: { oldInstanceId: OLD, skipOsShutdown: true }, result: { how: 'stopped' } },
  capture: {
    request: { instanceId: OLD, description: 'd', tags: {} },
    result: { set: 1, snapshots: [{ snapshotId: 'snap-1', volumeId: 'vol-1' }], beside: [] },
  },
  image: { request: null, result: { imageId: 'ami-9' } },
  'permit-1': { request: PERMIT_REQUEST, result: { networkInterfaceId: 'eni-1', privateIp: '10.0.0.9' } },
  'launch-1': { request: LAUNCH_REQUEST, result: { instanceId: NEW, foundBy: 'reply' } },
  'verify-1': { request: { instanceId: NEW }, result: { instanceId: NEW } },
  activate: { request: { instanceId: NEW }, result: { instanceId: NEW, incarnation: 2 } },
};

/** Every step up to this one, itself included, as done; `over` says otherwise. */
export function putThrough(
  rig: RunRig,
  last: string,
  over: Readonly<Record<string, Partial<JournalRecord>>> = {},
): void {
  for (const [step, ended] of Object.entries(ENDED)) {
    rig.putStep(step, { state: 'done', ...ended, ...over[step] });
    if (step === last) return;
  }
}
