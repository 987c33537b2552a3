import type { PlanForecast, PlanSummary } from '@understudy/shared';
import type { WhatIfSubject } from './snapshot.ts';

/** How a member would be recovered. */
export interface Way {
  readonly strategy: string;
  /** Zones of its places. Empty: it stays on its instance. */
  readonly places: readonly string[];
  readonly servesAfter: PlanForecast['servesAfter'];
  readonly losesSinceWallMs: number | null;
  /** Calls that every such recovery makes, by action. */
  readonly calls: Readonly<Record<string, number>>;
}

export type NoWay = { readonly problem: { readonly code: string; readonly text: string } };

const none = (code: string, text: string): NoWay => ({ problem: { code, text } });

/** The plan as it was looked at last: the one for its own zone lost, where that is left. */
export function wayFor({ plan }: Pick<WhatIfSubject, 'plan'>, leaveAz: string | null): Way | NoWay {
  if (plan === null) return none('PlanUnknown', 'its plan was not looked at yet');
  const told = leaveAz === null ? plan : plan.ifZoneLost;
  if (!told) return none('PlanUnknown', `its plan outside ${leaveAz ?? ''} was not looked at yet`);
  return wayOf(told);
}

type Told = Pick<PlanSummary, 'strategy' | 'problems' | 'forecast' | 'candidates' | 'calls'>;

function wayOf({ strategy, problems, forecast, candidates, calls = {} }: Told): Way | NoWay {
  if (strategy === null || forecast === null) {
    const [first] = problems;
    return none(first?.code ?? 'NoPlan', first?.text ?? 'no way of its policy can be planned');
  }
  const places = [...new Set(candidates.map(({ az }) => az))];
  const { servesAfter, losesSinceWallMs } = forecast;
  return { strategy, places, servesAfter, losesSinceWallMs, calls };
}
