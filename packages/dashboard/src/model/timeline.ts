import type { OpenStepView } from '@understudy/shared/browser';

type Step = Pick<OpenStepView, 'step' | 'state' | 'startedAtWallMs' | 'endedAtWallMs'> &
  Partial<Pick<OpenStepView, 'text' | 'failing'>>;

/** A step as a bar between the beginning of the recovery and the end of the picture. */
export interface Bar {
  readonly step: string;
  readonly state: Step['state'];
  /** Shares of the width, 0 to 1. */
  readonly from: number;
  readonly length: number;
  readonly tookMs: number;
  readonly text: string | null;
  readonly failures: number;
}

export interface Timeline {
  readonly bars: readonly Bar[];
  /** Where now is, 0 to 1. */
  readonly now: number;
  readonly endWallMs: number;
}

const share = (part: number, whole: number): number => Math.min(1, Math.max(0, part / whole));

/** The picture ends at the predicted end, or now where that is later or not known. */
export function timeline(
  steps: readonly Step[],
  times: { readonly startedAtWallMs: number; readonly nowWallMs: number; readonly endsAtWallMs: number | null },
): Timeline {
  const { startedAtWallMs, nowWallMs } = times;
  const endWallMs = Math.max(nowWallMs, times.endsAtWallMs ?? 0, startedAtWallMs + 1);
  const wholeMs = endWallMs - startedAtWallMs;
  const bars = steps.map((one) => {
    const tookMs = Math.max(0, (one.endedAtWallMs ?? nowWallMs) - one.startedAtWallMs);
    return {
      ...{ step: one.step, state: one.state, tookMs },
      from: share(one.startedAtWallMs - startedAtWallMs, wholeMs),
      length: share(tookMs, wholeMs),
      text: one.failing ? one.failing.text : (one.text ?? null),
      failures: one.failing?.count ?? 0,
    };
  });
  return { bars, now: share(nowWallMs - startedAtWallMs, wholeMs), endWallMs };
}
