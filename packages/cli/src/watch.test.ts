import { SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OutputOptions, present, type Presenting } from './watch.ts';

interface Value {
  readonly leader: string;
}
let printed: string;
let complained: string;
beforeEach(() => {
  [printed, complained] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((complained += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

const MORE: Presenting<Value> = { facts: ({ leader }) => new Map([['leader', leader]]) };
const ONCE: OutputOptions = { json: false, watch: false };

/** Watches one reading after the other, a second apart; afterwards the last one again and again. */
async function watched(readings: readonly (string | Error)[], options: OutputOptions, more = MORE): Promise<void> {
  const clock = new SimClock();
  let next = 0;
  const read = async (): Promise<Value> => {
    const one = readings[Math.min(next++, readings.length - 1)] ?? '';
    if (one instanceof Error) throw one;
    return { leader: one };
  };
  void present(clock, options, read, ({ leader }) => `leader ${leader}`, more);
  await clock.advance(readings.length * 1_000);
}

describe('watching into a pipe', () => {
  it('prints the whole once, then a line for each change', async () => {
    await watched(['c1', 'c1', 'c2', 'c2'], { json: false, watch: true });
    expect(printed.split('\n')).toEqual(['leader c1', expect.stringMatching(/^\d\d:\d\d:\d\d leader: c1 → c2$/), '']);
  });

  it('says once that a reading failed, and that it is known again', async () => {
    await watched(['c1', new Error('no answer'), new Error('no answer'), 'c1'], { json: false, watch: true });
    expect(printed.match(/no answer/g)).toHaveLength(1);
    expect(printed).toContain('it is known again');
  });

  it('prints JSON a line a reading', async () => {
    await watched(['c1', new Error('no answer')], { json: true, watch: true });
    const lines = printed
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines.slice(0, 2)).toEqual([{ leader: 'c1' }, { error: 'no answer' }]);
  });

  it('an interrupt ends the watching and says that the rest goes on', async () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    await watched(['c1'], { json: false, watch: true });
    process.emit('SIGINT');
    expect(complained).toContain('what was watched goes on');
    expect(kill).toHaveBeenCalledWith(process.pid, 'SIGINT');
  });
});

describe('what is old', () => {
  const old: Presenting<Value> = { notice: async () => 'OLD: c2 heard etcd 40 s ago' };
  const read = async (): Promise<Value> => ({ leader: 'c1' });
  const text = ({ leader }: Value): string => `leader ${leader}`;

  it('is said above the text', async () => {
    await present(new SimClock(), ONCE, read, text, old);
    expect(printed).toBe('OLD: c2 heard etcd 40 s ago\n\nleader c1\n');
  });

  it('is said on standard error beside JSON', async () => {
    await present(new SimClock(), { json: true, watch: false }, read, text, old);
    expect(JSON.parse(printed)).toEqual({ leader: 'c1' });
    expect(complained).toContain('OLD: c2');
  });

  it('is asked for before the reading, so that it is of the one that answers', async () => {
    const order: string[] = [];
    const notice = async () => (order.push('notice'), null);
    await present(new SimClock(), ONCE, async () => (order.push('read'), { leader: 'c1' }), text, { notice });
    expect(order).toEqual(['notice', 'read']);
  });
});
