import type { CloudInstance } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { cloudError } from '../run.fixtures.ts';
import { came } from './step.fixtures.ts';
import { StopsAgain } from './stop-again.ts';

const seen = (state: CloudInstance['state'], stateReasonCode: string | null = null) => ({ state, stateReasonCode });
const STOPPED = seen('stopped', 'Client.UserInitiatedShutdown');
const UNKNOWN = came('stop', cloudError('CLOUD_OUTCOME_UNKNOWN'), 1);

describe('a Stop by which a late start of ours is ended', () => {
  test('is not open where none was sent', () => {
    const stops = new StopsAgain();
    stops.look(STOPPED, 0);
    expect(stops.isOpen(0)).toBe(false);
  });

  test('is not open once it was answered', () => {
    const stops = new StopsAgain();
    stops.learn(came('stop'));
    stops.look(STOPPED, 1);
    expect(stops.isOpen(1)).toBe(false);
  });

  test('is not open where it has no answer and the instance was stopped by it', () => {
    const stops = new StopsAgain();
    stops.learn(UNKNOWN);
    stops.look(seen('running'), 1);
    stops.look(STOPPED, 1);
    expect(stops.isOpen(1)).toBe(false);
  });

  test('is open where another one has stopped it', () => {
    const stops = new StopsAgain();
    stops.learn(UNKNOWN);
    stops.look(seen('running'), 1);
    stops.learn(came('stop'));
    stops.look(STOPPED, 2);
    expect(stops.isOpen(2)).toBe(true);
  });

  test('of a leader before is not open where the instance is seen stopped, and is where it is not', () => {
    const [down, gone] = [new StopsAgain(), new StopsAgain()];
    down.look(STOPPED, 1);
    gone.look(undefined, 1);
    expect([down.isOpen(1), gone.isOpen(1)]).toEqual([false, true]);
  });

  test('the stop of the fence, seen before the first of them, is none of them', () => {
    const stops = new StopsAgain();
    stops.look(STOPPED, 0);
    stops.look(seen('running'), 0);
    stops.learn(UNKNOWN);
    stops.learn(came('stop'));
    stops.look(STOPPED, 2);
    expect(stops.isOpen(2)).toBe(true);
  });

  test('other calls of the step are none of them', () => {
    const stops = new StopsAgain();
    stops.learn(came('detach'));
    stops.learn(null);
    stops.look(seen('stopped'), 1);
    expect(stops.isOpen(1)).toBe(true);
  });
});
