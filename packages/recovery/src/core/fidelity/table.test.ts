import {
  type Chore,
  type CloudInstance,
  type SnapshotAndReplacePlan,
  SnapshotAndReplacePlanSchema,
} from '@understudy/shared';
import { policyWith } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { choresOf } from '../chores.ts';
import { buildImageRequest, buildLaunchRequest, buildPermitRequest } from '../launch-request.ts';
import { planInputFixture, requestIntentFixture } from '../plan.fixture.ts';
import { makePlan, type PlanResult } from '../plan.ts';
import type { Example } from './example-parts.fixtures.ts';
import { CARRIED, LOST, NOTICED, REFUSED, type Shown } from './examples.fixtures.ts';
import { disksToKeepOn } from './reapplied.ts';
import type { FidelityRow } from './row.ts';
import { FIDELITY } from './table.ts';

const ORDINARY: Example = [{}];

const planned = ([change, policy, leaveAz]: Example): PlanResult =>
  makePlan(planInputFixture(change), policyWith(policy ?? {}), leaveAz ?? null);

function planOf(example: Example): SnapshotAndReplacePlan {
  const result = planned(example);
  if (result.kind === 'blocked') throw new Error(result.problems.map((one) => one.text).join());
  return result.plan;
}

const codesOf = (findings: readonly { readonly code: string }[]) => findings.map((one) => one.code);
const lossCodes = (example: Example) => codesOf(planOf(example).losses);
const refusalCodes = (example: Example) => {
  const result = planned(example);
  return result.kind === 'blocked' ? codesOf(result.problems) : [];
};
const noticeCodes = (example: Example) => {
  const result = planned(example);
  return result.kind === 'plan' ? codesOf(result.problems) : [];
};

/** Everything that a plan leads to: its requests, and what is done with the replacement. */
function shownBy(example: Example): Required<Shown> {
  const plan = planOf(example);
  const intent = requestIntentFixture(plan);
  const [candidate] = plan.candidates;
  if (!candidate) throw new Error('a plan without a candidate');
  const request = buildLaunchRequest({
    ...{ intent, attempt: 1, candidate, networkInterfaceId: 'eni-permit', imageId: 'ami-new' },
    snapshotIdsByVolume: Object.fromEntries(plan.volumes.map(({ volumeId }) => [volumeId, `snap-${volumeId}`])),
  });
  const specifications = request.TagSpecifications as {
    ResourceType: string;
    Tags: { Key: string; Value: string }[];
  }[];
  const replacement = {
    volumes: plan.volumes.map(({ deviceName, volumeId }) => ({
      ...{ deviceName, volumeId, status: 'attached', deleteOnTermination: true },
    })),
  } as Pick<CloudInstance, 'volumes'>;
  const chores: readonly Chore[] = choresOf({
    ...{ plan, volumes: plan.volumes, opId: 'op-1', oldInstanceId: 'i-old', newInstanceId: 'i-new' },
    ...{ permitId: 'eni-permit', volumesRetainedUntil: null },
  });
  return {
    launch: request,
    tags: Object.fromEntries(
      specifications.map((one) => [one.ResourceType, Object.fromEntries(one.Tags.map((tag) => [tag.Key, tag.Value]))]),
    ),
    permit: buildPermitRequest({ intent, attempt: 1, candidate }),
    image: buildImageRequest({ intent, rootSnapshotId: 'snap-root' }),
    plan,
    chores,
    kept: disksToKeepOn(plan.volumes, replacement),
  };
}

const wanted = ({ chores, kept, ...shown }: Shown) => ({
  ...shown,
  ...(chores ? { chores: expect.arrayContaining(chores.map((one) => expect.objectContaining(one))) } : {}),
  ...(kept ? { kept } : {}),
});

/** Fields of a plan that are no attribute, or are made of parts of many rows. */
const MADE_OTHERWISE = [
  'strategy',
  'policy',
  'image',
  'launchBase',
  'losses',
  'ladder',
  'startMayLand',
  'wasDown',
  'seed',
  'firstImageId',
  'records',
  'targets',
];

describe('the fidelity table', () => {
  it('has the 42 attributes of the reference, and those that were found since, each once', () => {
    const numbers = FIDELITY.map((row) => row.number).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: FIDELITY.length }, (_, index) => index + 1));
    expect(numbers.length).toBeGreaterThanOrEqual(42);
  });

  it.each([
    ['image', Object.keys(SnapshotAndReplacePlanSchema.shape.image.shape)],
    ['plan', Object.keys(SnapshotAndReplacePlanSchema.shape).filter((name) => !MADE_OTHERWISE.includes(name))],
  ] as const)('carries each field of the %s in one row', (part, fields) => {
    const carried = FIDELITY.flatMap(({ carry }) => Object.keys(carry?.[part] ?? {}));
    expect(carried.sort()).toEqual(fields.sort());
  });

  it.each(['loss', 'notice', 'refuse'] as const)('gives each code of a %s to one row', (kind) => {
    const codes = FIDELITY.flatMap((row) => codesOf(row[kind] ?? []));
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  it.each(FIDELITY.map((row) => [row.attribute, row] as const))('says what becomes of %s', (_, row) => {
    // EC2 does not tell what is in memory.
    if (row.attribute !== 'memory') expect(row.read).not.toEqual([]);
    expect([row.carry, row.reapply, row.loss, row.refuse].filter((one) => one !== undefined)).not.toEqual([]);
    expect(row.why).toMatch(/^[A-Z].*\.$/);
  });
});

describe('a plan is refused', () => {
  const rules = FIDELITY.flatMap((row) => row.refuse ?? []);
  it.each(rules.map((rule) => [rule.code, rule] as const))('%s', (code, { remedy }) => {
    const example = REFUSED[code];
    if (!example) throw new Error(`no example of ${code} in examples.fixtures.ts`);
    expect(refusalCodes([{}])).toEqual([]);
    expect(refusalCodes(example)).toContain(code);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  });

  it('by no code that is in no row', () => {
    expect(Object.keys(REFUSED).filter((code) => !codesOf(rules).includes(code))).toEqual([]);
  });
});

describe('a plan names as lost', () => {
  const rules = FIDELITY.flatMap((row) => row.loss ?? []);
  /** Every plan has these. */
  const ordinary = [
    'StaysInZone',
    'PrivateIpChanges',
    'InsideReferences',
    'OutsideReferences',
    'MemoryLost',
    'FirstBootRunsAgain',
    'HostIdentityRenewed',
    'FirstReadsSlow',
    'DeviceNamesMayChange',
    'KmsKeyNotChecked',
  ];
  it.each(codesOf(rules))('%s', (code) => {
    const example = LOST[code];
    if (!example) throw new Error(`no example of ${code} in examples.fixtures.ts`);
    if (!ordinary.includes(code)) expect(lossCodes([{}])).not.toContain(code);
    expect(lossCodes(example)).toContain(code);
  });

  it('nothing under a code that is in no row', () => {
    expect(Object.keys(LOST).filter((code) => !codesOf(rules).includes(code))).toEqual([]);
  });
});

describe('a plan has somebody look, and refuses nothing', () => {
  it.each(codesOf(FIDELITY.flatMap((row) => row.notice ?? [])))('%s', (code) => {
    const example = NOTICED[code] ?? LOST[code];
    if (!example) throw new Error(`no example of ${code} in examples.fixtures.ts`);
    expect(noticeCodes([{}])).toEqual([]);
    expect(noticeCodes(example)).toContain(code);
  });
});

/** The parts of a row that an example has to show, as paths into what it shows. */
function partsOf({ carry, reapply }: FidelityRow): readonly string[] {
  const names = (of: object | undefined, prefix: string) => Object.keys(of ?? {}).map((name) => `${prefix}${name}`);
  return [
    ...names(carry?.launch, 'launch.'),
    ...names(carry?.placement, 'launch.Placement.'),
    ...names(carry?.disk, 'launch.BlockDeviceMappings.1.Ebs.'),
    ...names(carry?.image, 'image.'),
    ...names(carry?.plan, 'plan.'),
    ...(reapply ?? []).map((one) =>
      one.step === 'done' ? 'chores.0' : one.step === 'verify' ? 'kept.0' : `plan.${one.planned}`,
    ),
  ];
}

describe('the requests of a plan show', () => {
  const rows = FIDELITY.filter((row) => row.carry !== undefined || row.reapply !== undefined);
  it.each(rows.map((row) => [row.attribute, row] as const))('%s', (_, row) => {
    const examples = CARRIED[row.number] ?? [];
    for (const { example, shows, without = ORDINARY } of examples) {
      expect(shownBy(example)).toMatchObject(wanted(shows));
      expect(shownBy(without)).not.toMatchObject(wanted(shows));
    }
    for (const part of partsOf(row)) {
      const showing = examples.filter(({ shows }) => valueAt(shows, part) !== undefined);
      expect(showing, `an example of ${part} in examples.fixtures.ts`).not.toEqual([]);
    }
  });

  it('nothing that is in no row', () => {
    const numbers = rows.map((row) => String(row.number));
    expect(Object.keys(CARRIED).filter((number) => !numbers.includes(number))).toEqual([]);
  });
});

const valueAt = (from: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], from);
