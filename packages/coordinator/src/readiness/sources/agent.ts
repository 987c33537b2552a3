import type { Blocker } from '@understudy/shared';
import { known, type ReadinessSource, unknown } from '../facts.ts';
import { REMEDIES } from '../remedies.ts';

/** A member that is not heard is not missed either: its failure would not be seen (S11). */
export const agentSource: ReadinessSource = {
  name: 'agent',
  look({ judged, isRecovering, nowWallMs }) {
    if (isRecovering) return null;
    if (judged === null) return { fact: unknown('agent', 'it is not judged yet'), blockers: [] };
    const { verdict, reasonCode, reason } = judged;
    if (verdict === 'alive') return { fact: known('agent', nowWallMs, 'its agent is heard'), blockers: [] };
    const text = `it is ${verdict}: ${reason}`;
    const said = { kind: 'agent', code: reasonCode, text, remedy: REMEDIES.agent, stops: verdict === 'unknown' };
    const blocker: Blocker = { ...said, lookedAtWallMs: nowWallMs };
    return { fact: known('agent', nowWallMs, text), blockers: [blocker] };
  },
};
