import type { CloudEvent } from '@understudy/local-cluster';
import { expect, it } from 'vitest';
import { criticalPathMs } from './critical-path.ts';

const call = (action: string, wallMs: number, durationMs: number): CloudEvent => ({
  kind: 'call',
  action,
  wallMs,
  durationMs,
  outcome: 'ok',
  clientToken: null,
});
const change = (
  resourceKind: string,
  resourceId: string,
  from: string | null,
  to: string,
  wallMs: number,
): CloudEvent => ({ kind: 'transition', resourceKind, resourceId, from, to, wallMs });

it('adds what has to follow one another and takes the longest of what runs side by side', () => {
  const events: CloudEvent[] = [
    call('StopInstances', 1_000, 50),
    change('instance', 'i-old', 'running', 'stopping', 1_000),
    change('instance', 'i-old', 'stopping', 'stopped', 2_000),
    change('snapshot', 's1', null, 'pending', 2_100),
    change('snapshot', 's2', null, 'pending', 2_100),
    change('snapshot', 's1', 'pending', 'completed', 3_100),
    change('snapshot', 's2', 'pending', 'completed', 5_100),
    change('instance', 'i-new', null, 'pending', 6_000),
    change('instance', 'i-new', 'pending', 'running', 6_700),
    change('instance', 'i-other', null, 'pending', 1_000),
    change('instance', 'i-other', 'pending', 'running', 9_000),
  ];
  const path = criticalPathMs(events, {
    oldInstanceId: 'i-old',
    newInstanceId: 'i-new',
    startedAtWallMs: 900,
    endedAtWallMs: 9_500,
    settleMs: 500,
    movesAddress: false,
  });
  expect(path).toBe(50 + 1_000 + 3_000 + 700 + 500);
});
