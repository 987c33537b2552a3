import {
  type ActivationRecord,
  type CloudInstance,
  type InstanceState,
  type IntentRecord,
  type MemberId,
  type MemberRecord,
  TAG,
  wallMs,
} from '@understudy/shared';
import type { EnrolInput } from './enrol.ts';

export const NOW = wallMs(1_000_000);
export const DB1: MemberId = 'prod/db1';
const written = { schemaVersion: 1 as const, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 0 };

export function instance(
  instanceId: string,
  over: Partial<CloudInstance> & { readonly state?: InstanceState } = {},
): CloudInstance {
  return {
    instanceId,
    state: 'running',
    stateReasonCode: null,
    stateReasonText: null,
    imageId: 'ami-1',
    instanceType: 'm5.large',
    az: 'us-east-1a',
    subnetId: 'subnet-1',
    privateIp: '10.0.0.1',
    publicIp: null,
    keyName: null,
    iamInstanceProfileArn: null,
    architecture: 'x86_64',
    rootDeviceName: '/dev/xvda',
    ebsOptimized: false,
    detailedMonitoring: false,
    clientToken: null,
    launchedAtWallMs: 0,
    tags: { [TAG.group]: 'prod', [TAG.member]: 'db1' },
    volumes: [],
    networkInterfaces: [],
    raw: {},
    ...over,
  };
}

export const memberRecord = (over: Partial<MemberRecord> = {}): MemberRecord => ({
  ...written,
  member: DB1,
  group: 'prod',
  name: 'db1',
  enrolledAtWallMs: 5,
  instanceId: 'i-1',
  az: 'us-east-1a',
  instanceType: 'm5.large',
  privateIp: '10.0.0.1',
  otherAddresses: [],
  readinessProblems: [],
  serveContract: null,
  ...over,
});
export const activation = (instanceId: string): ActivationRecord => ({
  ...written,
  member: DB1,
  incarnation: 1,
  instanceId,
  opId: null,
  ordinal: 0,
});

export function input(instances: readonly CloudInstance[], over: Partial<EnrolInput> = {}): EnrolInput {
  return {
    instances,
    unseen: [],
    members: new Map(),
    activations: new Map(),
    intents: new Map(),
    unreadable: new Set(),
    lastIncarnation: new Map(),
    goneNames: new Set(),
    listedAtRevision: 100,
    nowWallMs: NOW,
    ...over,
  };
}
export const enrolled = (over: Partial<EnrolInput> = {}): Partial<EnrolInput> => ({
  members: new Map([[DB1, { record: memberRecord(), modRevision: 7 }]]),
  activations: new Map([[DB1, { record: activation('i-1'), modRevision: 8 }]]),
  ...over,
});
export const openIntent = (opId: string, plan: object = { strategy: 'reboot' }) =>
  new Map([[DB1, { record: { opId, member: DB1, oldInstanceId: 'i-1', plan } as IntentRecord, modRevision: 9 }]]);
export const nothing = { enrol: [], refresh: [], conflicts: [], problems: [] };
