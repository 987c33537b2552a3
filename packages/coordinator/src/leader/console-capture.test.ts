import { type Cloud, type MemberId, OperationError } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConsoleCapture } from './console-capture.ts';

let clock: SimClock;
let log: RecordingLog;
let asked: string[];
let answer: (instanceId: string) => Promise<{ text: string; takenAtWallMs: null } | null>;
let capture: ConsoleCapture;
const signal = new AbortController().signal;
const note = (member: MemberId, instanceId: string) => capture.note({ member, instanceId }, signal);

beforeEach(() => {
  clock = new SimClock();
  log = new RecordingLog();
  asked = [];
  answer = async () => ({ text: 'Kernel panic', takenAtWallMs: null });
  const cloud = {
    consoleOutput: (instanceId: string) => {
      asked.push(instanceId);
      return answer(instanceId);
    },
  } as unknown as Cloud;
  capture = new ConsoleCapture({ cloud, clock, log });
});

describe('console output at death', () => {
  test('once per instance, the end of it, in the log too', async () => {
    answer = async () => ({ text: `${'x'.repeat(9_000)}Kernel panic`, takenAtWallMs: null });
    await note('db/a', 'i-1');
    await note('db/a', 'i-1');
    expect(asked).toEqual(['i-1']);
    expect(capture.of('db/a')?.text).toMatch(/^x{3988}Kernel panic$/);
    expect(log.events()).toEqual(['console.captured']);
    await note('db/a', 'i-2');
    expect(capture.of('db/a')?.instanceId).toBe('i-2');
  });

  test('a failure is tried again three times in all, seconds apart, and never thrown', async () => {
    answer = () => Promise.reject(new OperationError('CLOUD_UNAVAILABLE', 'no'));
    for (let i = 0; i < 20; i++) {
      await note('db/a', 'i-1');
      await clock.advance(1_000);
    }
    expect([asked.length, capture.of('db/a')]).toEqual([3, null]);
  });

  test('a machine that never wrote anything is captured as that', async () => {
    answer = async () => null;
    await note('db/a', 'i-1');
    expect(capture.of('db/a')?.text).toBe('');
  });

  test('no more than four at once, whoever waits comes with a later judgement', async () => {
    const { promise, resolve } = Promise.withResolvers<null>();
    answer = () => promise;
    const all = Array.from({ length: 6 }, (_, i) => note(`db/m${i}`, `i-${i}`));
    expect(asked).toHaveLength(4);
    resolve(null);
    await Promise.all(all);
    await note('db/m5', 'i-5');
    expect(capture.of('db/m5')).not.toBeNull();
  });

  test('two hundred members at most, the oldest goes first', async () => {
    for (let i = 0; i < 201; i++) await note(`db/m${i}`, `i-${i}`);
    expect([capture.of('db/m0'), capture.of('db/m1')?.instanceId]).toEqual([null, 'i-1']);
  });
});
