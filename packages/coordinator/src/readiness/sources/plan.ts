import { type Blocker, durationText, type PlanSummary } from '@understudy/shared';
import { known, type ReadinessSource, unknown } from '../facts.ts';
import { kindOfProblem, stopsItself } from '../problem-kinds.ts';
import { REMEDIES } from '../remedies.ts';

/** Without any way that can be planned, each of its problems is one that stops it. */
function blockersOf({ problems, worst, rungs, lookedAtWallMs }: PlanSummary): readonly Blocker[] {
  const hasNoPlan = worst === null;
  const all = problems.length > 0 || !hasNoPlan ? problems : rungs.flatMap((one) => one.problems);
  const blockers = all.map(({ code, text }): Blocker => {
    const kind = kindOfProblem(code);
    return { kind, code, text, remedy: REMEDIES[kind], stops: hasNoPlan || stopsItself(code), lookedAtWallMs };
  });
  if (!hasNoPlan) return blockers;
  const text = 'no way of its policy can be planned';
  const none: Blocker = {
    kind: 'no-plan',
    code: 'NoPlan',
    text,
    remedy: REMEDIES['no-plan'],
    stops: true,
    lookedAtWallMs,
  };
  return [none, ...blockers];
}

/** The plan of every way of its ladder, by the one function that plans, and what it has to say. */
export const planSource: ReadinessSource = {
  name: 'plan',
  look({ plan, planFreshForMs, nowWallMs }) {
    if (plan === null) return { fact: unknown('plan', 'its plan was not looked at yet'), blockers: [] };
    const { lookedAtWallMs } = plan;
    const ageMs = Math.max(0, nowWallMs - lookedAtWallMs);
    const text = `its plan was looked at ${durationText(ageMs)} ago`;
    const fact = known('plan', lookedAtWallMs, text);
    return { fact: ageMs > planFreshForMs ? { ...fact, state: 'old' } : fact, blockers: blockersOf(plan) };
  },
};
