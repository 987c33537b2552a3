import {
  type Clock,
  errorText,
  groupOf,
  isOperationError,
  type LaunchPlan,
  makesWhileSuspect,
  type MemberId,
  opIdOf,
  type PlanView,
  type Problem,
  type RecoveryPlan,
  TAG,
  type Term,
} from '@understudy/shared';
import { launchPlan, pathTexts, type PlanInput, type PlanResult, tooDear } from '@understudy/recovery';
import { type Refused, refused } from '../commands/command.ts';
import type { GuardAnswer } from '../judge/guard-input.ts';
import { OVERRIDE_RULES } from '../judge/overrides.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Assessor, Judgement } from './assessor.ts';
import type { RecoveryDecider } from './decider.ts';
import type { CallTrials } from './call-trials.ts';
import type { Planner, Thought } from './planner.ts';
import type { PreparationKeeper } from './preparation-keeper.ts';
import type { UndoLook } from './undo-look.ts';
import { plannedRungs } from './rung-views.ts';
import {
  callsOf,
  candidateViews,
  forecastOf,
  missingPermissions,
  stepViews,
  tellPlan,
  volumeViews,
} from './told-plan.ts';

export type PlanAnswer = { readonly kind: 'plan'; readonly view: PlanView } | Refused;

export interface PlanPreviewOptions {
  readonly assessor: Pick<Assessor, 'look'>;
  readonly decider: Pick<RecoveryDecider, 'ask'>;
  readonly planner: Planner;
  readonly view: ClusterState;
  readonly clock: Clock;
  readonly trials: CallTrials;
  readonly undoLook: Pick<UndoLook, 'shown'>;
  readonly preparations: Pick<PreparationKeeper, 'shown'>;
}

type Said = Pick<
  PlanView,
  | 'prepared'
  | 'token'
  | 'lines'
  | 'losses'
  | 'problems'
  | 'strategy'
  | 'rungs'
  | 'steps'
  | 'volumes'
  | 'candidates'
  | 'forecast'
  | 'notices'
>;

/** Calls that one look at a plan asks EC2 about, at most; the next look asks about the others. */
const ASK_MAX = 16;

const NOTHING_SAID = {
  ...{ token: null, lines: [], losses: [], strategy: null, rungs: [], steps: [], volumes: [], candidates: [] },
  ...{ forecast: null, notices: [] },
} satisfies Partial<Said>;

interface Found {
  readonly ordinal: number;
  readonly plan: RecoveryPlan;
  readonly notices: PlanResult<RecoveryPlan>['problems'];
  readonly input: PlanInput;
}

/** Shows the plan that a recovery would have if it began now. It changes nothing. */
export class PlanPreview {
  readonly #options: PlanPreviewOptions;

  constructor(options: PlanPreviewOptions) {
    this.#options = options;
  }

  /** `strategy`: by this way, whatever the ladder would take. Null: as the ladder takes it. */
  async of(term: Term | null, member: MemberId, strategy: string | null = null): Promise<PlanAnswer> {
    const { assessor, decider, view } = this.#options;
    if (term === null || !view.isFresh())
      return refused('UNAVAILABLE', 'nobody here leads with a fresh view of etcd: ask again');
    const activation = view.records.activations.get(member);
    if (!activation) return refused('MEMBER_UNKNOWN', `no member ${member} is known here`);
    const open = view.records.intents.get(member)?.record;
    const judgement = assessor.look(member);
    if (!judgement)
      return open
        ? refused('OTHER_RECOVERY', `recovery ${open.opId} of ${member} is open, by the plan of then: explain shows it`)
        : refused('NOTHING_THERE', `${member} cannot be judged now: understudy explain ${member}`);
    const answer = decider.ask(judgement);
    const { ordinal } = activation.record;
    const { instanceId, assessment } = judgement;
    const thought = { strategy, isSilent: assessment.verdict === 'alive' && !assessment.act };
    const said = await this.#said(term, judgement, ordinal, thought);
    return {
      kind: 'plan',
      view: {
        ...{ member, instanceId, opId: opIdOf(instanceId, ordinal), ...said },
        ...{ verdict: assessment.verdict, reason: assessment.reason, gates: gatesOf(answer) },
        supposes: supposesOf(thought),
        wouldBegin: assessment.act && answer.kind === 'go' && said.token !== null,
        expectedMs: this.#expectedMs(member),
        undo: await this.#options.undoLook.shown(member, term.signal),
      },
    };
  }

  async #said(term: Term, judgement: Judgement, ordinal: number, thought: Thought): Promise<Said> {
    const { planner, decider } = this.#options;
    const problem = (code: string, text: string): Said => ({ ...NOTHING_SAID, problems: [{ code, text }] });
    try {
      const planned = await planner.plan(judgement, (one) => decider.ask(one), term.signal, thought);
      if (planned.kind === 'begun-before')
        return problem('BegunBefore', 'a recovery of this name left a trace: the next one gets another name first');
      const { result, input } = planned;
      if (result.kind === 'blocked')
        return {
          ...NOTHING_SAID,
          problems: result.problems.map(({ code, text }) => ({ code, text })),
          ...this.#prepared(judgement.member, null),
        };
      return await this.#told(term, judgement, { ordinal, plan: result.plan, notices: result.problems, input });
    } catch (error) {
      if (!isOperationError(error)) throw error;
      const code: Problem['code'] = error.code;
      return problem(code, errorText(error));
    }
  }

  /** The plan with every call that it makes, and EC2's word on each. */
  async #told(term: Term, judgement: Judgement, found: Found): Promise<Said> {
    const { planner, view, trials } = this.#options;
    const { member, instanceId } = judgement;
    const { ordinal, plan, notices, input } = found;
    const opId = opIdOf(instanceId, ordinal);
    const told = await tellPlan({ opId, member, oldInstanceId: instanceId, ordinal, plan }, input, view);
    const calls = callsOf(told);
    const words = await trials.words(calls, ASK_MAX, term.signal);
    const plain = ({ code, text }: Pick<Problem, 'code' | 'text'>) => ({ code, text });
    return {
      ...{ token: planner.tokenOf(judgement, plan), lines: linesOf(judgement, plan), problems: [] },
      losses: plan.losses.map(plain),
      notices: [
        ...notices.map(plain),
        ...missingPermissions(calls, words),
        ...noLadderNotice(plan, groupOf(member)),
        ...[tooDear(plan, makesWhileSuspect(plan.policy))].flatMap((one) => one ?? []),
      ],
      strategy: {
        name: plan.strategy,
        why: plan.ladder?.find((one) => one.said === 'taken')?.why ?? `the policy of group ${groupOf(member)} names it`,
        ...(plan.ladder && { ladder: plan.ladder }),
      },
      rungs: plannedRungs(plan),
      ...{ steps: stepViews(told, words), volumes: volumeViews(plan), candidates: candidateViews(plan) },
      forecast: forecastOf(told),
      ...this.#prepared(member, plan),
    };
  }

  #prepared(member: MemberId, plan: RecoveryPlan | null): Pick<PlanView, 'prepared'> {
    const prepared = this.#options.preparations.shown(member, plan);
    return prepared === undefined ? {} : { prepared };
  }

  #expectedMs(member: MemberId): number | null {
    const took = [...this.#options.view.records.history]
      .filter(([one]) => groupOf(one) === groupOf(member))
      .flatMap(([, entries]) => [...entries.values()].map(({ record }) => record))
      .filter((one) => one.outcome === 'replaced')
      .map((one) => one.endedAtWallMs - one.startedAtWallMs)
      .sort((a, b) => a - b);
    return took[Math.floor(took.length / 2)] ?? null;
  }
}

/** Says for what failure the plan is made. */
function supposesOf({ strategy, isSilent }: Thought): NonNullable<PlanView['supposes']> {
  const now = isSilent ? 'as if it fell silent now, with what EC2 says of it now' : 'as it is judged now';
  if (strategy !== null) return { kind: 'asked', text: `by ${strategy}, which was asked for; ${now}` };
  return { kind: isSilent ? 'silent' : 'judged', text: now };
}

const gatesOf = ({ gates }: GuardAnswer): PlanView['gates'] =>
  gates.map(({ gate, passes, text }) => {
    const { may, because } = OVERRIDE_RULES[gate];
    return { gate, passes, text, overridable: may, because };
  });

/** What the group does without, as long as its policy names no ladder (docs/ladder.md). */
const noLadderNotice = ({ policy, strategy }: RecoveryPlan, group: string): PlanView['notices'] =>
  policy.recover.ladder !== undefined
    ? []
    : [
        {
          code: 'NoLadder',
          text: `the policy of group ${group} names no ladder: neither a reboot nor a stop and start, which take less than a minute and lose nothing on disk, is tried before ${strategy}; recover.ladder: {} has them tried`,
        },
      ];

/** The path of one disk, and why it takes no other. */
function diskLines(one: RecoveryPlan['volumes'][number]): PlanView['lines'] {
  const [taken = '', ...others] = pathTexts(one);
  return [
    { sign: '+', text: `${one.deviceName}: ${one.sizeGiB} GiB ${one.volumeType}: ${taken}` },
    ...others.map((text) => ({ sign: ' ' as const, text: `  ${text}` })),
  ];
}

const NAMED_BY = {
  record: 'the image that the first of its predecessors was launched from',
  policy: 'which recover.seedImages names',
  tag: `which its tag ${TAG.seedImage} names`,
} as const;

/** Where the machine comes from that gets the disks, if they move. */
const seedLines = ({ seed }: LaunchPlan): PlanView['lines'] =>
  seed === undefined
    ? []
    : [
        {
          sign: '+',
          text: `the machine comes from ${seed.imageId}, ${seed.namedBy ? NAMED_BY[seed.namedBy] : 'its own image'}`,
        },
      ];

/** What goes, what comes, what changes; nothing of the user data, which holds a key. */
function linesOf({ member, instanceId, az }: Judgement, plan: RecoveryPlan): PlanView['lines'] {
  const launching = launchPlan(plan);
  if (launching === null)
    return [{ sign: '~', text: `${member}: ${instanceId} stays in ${az} with all its disks (${plan.strategy})` }];
  const places = launching.candidates.map((one) => `${one.instanceType} in ${one.az} (${one.subnetId})`);
  const [first, ...others] = places;
  return [
    { sign: '~', text: `${member}: ${instanceId} in ${az} → ${first ?? 'another instance'}` },
    ...others.map((text) => ({ sign: ' ' as const, text: `or ${text}` })),
    { sign: '-', text: `${instanceId} is stopped, and stays stopped` },
    ...seedLines(launching),
    ...plan.volumes.flatMap(diskLines),
    ...plan.addresses.map((one) => ({ sign: '~' as const, text: `${one.publicIp} (${one.allocationId}) moves along` })),
    ...(plan.assigned ?? []).map((one) => ({ sign: '~' as const, text: `${one.address} (${one.kind}) moves along` })),
    ...(plan.interfaces ?? []).map((one) => ({
      ...{ sign: '~' as const, text: `${one.networkInterfaceId} moves along, at device index ${one.deviceIndex}` },
    })),
  ];
}
