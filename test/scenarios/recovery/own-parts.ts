import {
  ACTIVATE,
  type Call,
  DONE,
  FENCE,
  type IdentityMove,
  identityMove,
  type ItemMove,
  LAUNCH,
  NOTHING_KEPT,
  PERMIT,
  REGISTERED,
  replacementOf,
  REVOKE,
  type Run,
  stepId,
  type StepRow,
  type Strategy,
  type StepKind,
  stepKind,
  VERIFY,
  type VolumePath,
} from '@understudy/recovery/testing';
import { launchPlan } from '@understudy/recovery';
import { type CloudInstance, isSnapshotAndReplace } from '@understudy/shared';
import * as z from 'zod';

/** Parts of recoveries that no product file knows, as `docs/adding-a-strategy.md` has them. */

async function shown(run: Run, instanceId: string): Promise<CloudInstance | null> {
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  return found.find((one) => one.instanceId === instanceId) ?? null;
}

// A step of its own, with one effect.

export const FAREWELL_TAG = 'test:farewell';

const FAREWELL = {
  name: 'farewell',
  per: 'recovery',
  request: z.strictObject({ instanceId: z.string(), words: z.string() }),
  noted: NOTHING_KEPT,
  result: z.strictObject({ seen: z.string() }),
} as const;

/** Writes a farewell on the fenced instance, and waits to see it there. */
export const farewellKind: StepKind = stepKind(FAREWELL, (run) => ({
  limitMs: 120_000,
  prepare: async () => ({ instanceId: run.record.oldInstanceId, words: `replaced by ${run.record.opId}` }),
  next: async ({ request: { instanceId, words } }) => {
    const seen = (await shown(run, instanceId))?.tags[FAREWELL_TAG];
    if (seen === words) return { kind: 'done', result: { seen } };
    const tags = { [FAREWELL_TAG]: words };
    const write: Call = { name: 'farewell', run: (cloud, options) => cloud.createTags([instanceId], tags, options) };
    return { kind: 'act', text: 'saying farewell', calls: [write] };
  },
  onTimeout: () => ({ kind: 'hold', reason: 'CloudUnavailable', text: 'the farewell was not seen' }),
}));

// A strategy without image and capture: the replacement starts afresh from the member's own image.

const OwnPlan = z.looseObject({ strategy: z.literal('fresh-start'), imageId: z.string() });

export const freshStart: Strategy = {
  name: 'fresh-start',
  plan: (input, policy, leaveAz, seams) => {
    const [replacing] = REGISTERED.strategies;
    const result = replacing?.plan(input, policy, leaveAz, seams);
    if (result?.kind !== 'plan' || !isSnapshotAndReplace(result.plan))
      return { kind: 'blocked', problems: result?.problems ?? [] };
    const { image: _, ...launching } = result.plan;
    const plan = { ...launching, strategy: 'fresh-start', imageId: input.instance.imageId };
    return { ...result, plan };
  },
  fault: (plan) => (OwnPlan.safeParse(plan).success && launchPlan(plan) !== null ? null : 'it is not complete'),
  steps: (plan, { identityMoves }) => {
    const moves = identityMoves.map(
      (move): StepRow => ({ step: move.record, items: move.itemsOf(plan), needs: () => ['activate'] }),
    );
    const moved = moves.flatMap(({ step, items = [] }) => items.map((item) => stepId(step.name, item)));
    return [
      { step: FENCE, needs: () => [] },
      { step: FAREWELL, needs: () => ['fence'] },
      { step: PERMIT, needs: () => ['fence'] },
      { step: LAUNCH, needs: (n) => ['fence', 'farewell', stepId('permit', n)] },
      { step: VERIFY, needs: (n) => [stepId('launch', n)] },
      {
        step: REVOKE,
        needs: () => ['fence'],
        failedOf: (n) => ['permit', 'launch', 'verify'].map((name) => stepId(name, n)),
      },
      { step: ACTIVATE, needs: (n) => [stepId('verify', n)] },
      ...moves,
      { step: DONE, needs: () => ['activate', ...moved] },
    ];
  },
  launchSources: ({ plan }) => ({
    imageId: OwnPlan.parse(plan).imageId,
    disks: plan.volumes.map((volume) => ({ volume, source: { kind: 'image' } })),
  }),
  artefacts: () => [],
};

// A volume path: the disk is made of a snapshot that was there before.

export const CONTENT_TAG = 'test:content';

export const readyMade: VolumePath = {
  name: 'ready-made',
  takes: ({ tags }) => tags[CONTENT_TAG] !== undefined,
  steps: () => [],
  sourceOf: (_state, { tags }) => ({ kind: 'snapshot', snapshotId: tags[CONTENT_TAG] ?? '' }),
  predictedLoss: ({ volumeId }) => ({ code: 'OlderContent', text: `${volumeId}: all since its last snapshot` }),
  artefacts: () => [],
};

// An identity move: badges of the member, each put on the instance that serves.

export const BADGES_TAG = 'test:badges';
export const badgeTag = (badge: string): string => `test:badge-${badge}`;

const BADGE = {
  name: 'badge',
  per: 'item',
  request: z.strictObject({ badge: z.string(), instanceId: z.string() }),
  noted: NOTHING_KEPT,
  result: z.strictObject({ worn: z.literal(true) }),
} as const;

export const badges: IdentityMove = identityMove(
  BADGE,
  (plan) => launchPlan(plan)?.instanceTags[BADGES_TAG]?.split(' ') ?? [],
  (run, badge): ItemMove<typeof BADGE, CloudInstance | null> => ({
    limitMs: 120_000,
    look: () => shown(run, replacementOf(run)),
    request: () => ({ badge, instanceId: replacementOf(run) }),
    next: ({ request: { instanceId } }, seen) => {
      const tag = badgeTag(badge);
      if (seen?.tags[tag] === 'worn') return { kind: 'done', result: { worn: true } };
      const wear: Call = {
        name: 'wear',
        run: (cloud, options) => cloud.createTags([instanceId], { [tag]: 'worn' }, options),
      };
      return { kind: 'act', text: `putting ${badge} on ${instanceId}`, calls: [wear] };
    },
    onTimeout: () => ({ kind: 'hold', reason: 'CloudUnavailable', text: `${badge} was not seen` }),
  }),
);
