import { opIdOf, type Term } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { KEYS, type Leader, MEMBER, RecoveryFixture } from './recovery-fixture.ts';

/** What a newer build writes into every record beside what this one knows. */
const MADE_UP = { of: ['a', 'newer', 'build'] };
const WRITES_MAX = 60;

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const marked = (record: object): Json => ({ ...record, madeUp: MADE_UP });

const markedPlan = (plan: Json): Json => ({
  ...marked(plan),
  policy: marked(plan['policy'] as Json),
  volumes: (plan['volumes'] as readonly Json[]).map(marked),
});

/** Marks a record, in the intent also the plan, in the journal what is frozen, counted, noted. */
function asNewer(record: object): object {
  const { request, result, state, plan } = { request: null, result: null, state: '', plan: null, ...record };
  const noted = isObject(result) && isObject(result['noted']) ? { noted: marked(result['noted']) } : {};
  return {
    ...marked(record),
    ...(isObject(plan) && { plan: markedPlan(plan) }),
    ...(isObject(request) && { request: marked(request) }),
    ...(isObject(result) && { result: state === 'started' ? { ...marked(result), ...noted } : marked(result) }),
  };
}

/** Every place of `before` that is marked and that `after` has too, but without the mark. */
function lost(before: unknown, after: unknown, path = ''): string[] {
  if (!isObject(before) || !isObject(after)) return [];
  const own = 'madeUp' in before && JSON.stringify(after['madeUp']) !== JSON.stringify(MADE_UP) ? [path] : [];
  return [...own, ...Object.keys(before).flatMap((key) => lost(before[key], after[key], `${path}.${key}`))];
}

class TwoBuilds {
  readonly scene = new RecoveryFixture({ policy: { recover: { settleMs: 0 } } });
  readonly seeded = this.scene.seedMember();
  readonly opId = opIdOf(this.seeded.instanceId);
  /** What this build dropped when it wrote a record again. */
  readonly dropped: string[] = [];
  /** Records of the newer build that this one has written again. */
  rewritten = 0;

  async begin(): Promise<void> {
    this.#mark(KEYS.activation(MEMBER));
    this.scene.sim.crashInstance(this.seeded.instanceId);
    await this.scene.begin(this.seeded);
    this.#mark(KEYS.intent(MEMBER));
  }

  #mark(key: string): void {
    const [entry] = this.scene.kv.entries(key);
    const value = JSON.stringify(asNewer(JSON.parse(entry?.value ?? '') as object));
    this.scene.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] });
  }

  /** A term of the newer build, which dies after so many writes. */
  newer(leader: Leader, writes: number): Term {
    let left = writes;
    return this.#altered(leader.term, (write) => {
      if (left-- <= 0) leader.endTerm();
      return {
        ...write,
        puts: write.puts.map((put) => ({ ...put, record: asNewer(put.record) })) as unknown as typeof write.puts,
      };
    });
  }

  /** A term of this build; what it drops is noted. */
  watched(leader: Leader): Term {
    return this.#altered(leader.term, (write) => {
      for (const { key, record } of write.puts) {
        const [entry] = this.scene.kv.entries(key);
        const before: unknown = entry ? JSON.parse(entry.value) : null;
        if (isObject(before) && 'madeUp' in before) this.rewritten += 1;
        // A result takes the place of the progress.
        const isOver = isObject(before) && before['state'] === 'started' && Reflect.get(record, 'state') !== 'started';
        const known = isOver ? { ...before, result: null } : before;
        this.dropped.push(...lost(known, record).map((path) => `${key}${path}`));
      }
      return write;
    });
  }

  #altered(term: Term, alter: (write: Parameters<Term['commit']>[0]) => Parameters<Term['commit']>[0]): Term {
    return new Proxy(term, {
      get: (target, name) => {
        if (name === 'commit') return (write: Parameters<Term['commit']>[0]) => target.commit(alter(write));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
  }
}

/** The newer build leads for so many writes, then this one to the end. */
async function newerThenThis(writes: number): Promise<TwoBuilds & { readonly finishedByNewer: boolean }> {
  const two = new TwoBuilds();
  await two.begin();
  const { scene } = two;
  const first = scene.lead();
  const outcome = await scene.run(first, scene.intent(), two.newer(first, writes));
  if (outcome !== 'finished') {
    const second = scene.lead();
    expect(await scene.run(second, scene.intent(), two.watched(second))).toBe('finished');
  }
  return Object.assign(two, { finishedByNewer: outcome === 'finished' });
}

describe('a recovery that a newer build has begun', () => {
  it('is finished by this one from wherever it was left, and nothing of the newer build is lost', async () => {
    let [at, rewritten] = [0, 0];
    for (; at < WRITES_MAX; at += 1) {
      const two = await newerThenThis(at);
      const { scene, seeded } = two;
      expect(two.dropped, `left after ${at} writes`).toEqual([]);
      expect(scene.launchedFor(seeded.instanceId), `left after ${at} writes`).toHaveLength(1);
      expect(scene.history()).toMatchObject([{ opId: two.opId, outcome: 'replaced' }]);
      expect(scene.activation(), `left after ${at} writes`).toMatchObject({ incarnation: 2, madeUp: MADE_UP });
      rewritten += two.rewritten;
      if (two.finishedByNewer) break;
    }
    // Every write of a whole recovery was the last one of the newer build once.
    expect(at).toBeGreaterThan(15);
    expect(at).toBeLessThan(WRITES_MAX);
    expect(rewritten).toBeGreaterThan(at);
  });

  it('is rewritten for an operator, abandoned and closed with what the newer build wrote', async () => {
    const two = new TwoBuilds();
    await two.begin();
    const { scene } = two;
    const first = scene.lead();
    await scene.run(first, scene.intent(), two.newer(first, 6));
    scene.ask('retry');
    const second = scene.lead();
    const capturing = two.watched(second);
    const commits: string[] = [];
    const stopAfterRewrite = new Proxy(capturing, {
      get: (target, name) => {
        if (name !== 'commit') return Reflect.get(target, name, target) as unknown;
        return async (write: Parameters<Term['commit']>[0]) => {
          commits.push(write.puts[0].key);
          if (commits.length > 1) second.endTerm();
          return target.commit(write);
        };
      },
    });
    expect(await scene.run(second, scene.intent(), stopAfterRewrite)).toBe('parked');
    expect(commits[0]).toBe(KEYS.intent(MEMBER));
    expect(scene.intent().record).toMatchObject({ madeUp: MADE_UP, acts: [{ kind: 'retry' }] });
    scene.ask('abandon');
    const third = scene.lead();
    expect(await scene.run(third, scene.intent(), two.watched(third))).toBe('finished');
    expect(scene.activation()).toMatchObject({ incarnation: 1, ordinal: 1, madeUp: MADE_UP });
    expect(two.dropped).toEqual([]);
  });
});

describe('what this build does not understand', () => {
  const held = async (change: (record: Json) => object, key: (opId: string) => string) => {
    const two = new TwoBuilds();
    await two.begin();
    const { scene } = two;
    const first = scene.lead();
    await scene.run(first, scene.intent(), two.newer(first, 8));
    const [entry] = scene.kv.entries(key(two.opId));
    const value = JSON.stringify(change(JSON.parse(entry?.value ?? '') as Json));
    scene.kv.apply({ compare: [], writes: [{ kind: 'put', key: key(two.opId), value }] });
    const calls = scene.sim.log.calls().length;
    const second = scene.lead();
    expect(await scene.run(second, scene.intent())).toBe('held');
    expect(scene.sim.log.calls().slice(calls), 'nothing is sent to EC2').toEqual([]);
    return scene.hold();
  };

  it('is a step by a name it does not know: the recovery is held and not driven', async () => {
    const stepOf = (opId: string) => KEYS.journalStep(opId, 'fence');
    const two = new TwoBuilds();
    await two.begin();
    const { scene } = two;
    const first = scene.lead();
    await scene.run(first, scene.intent(), two.newer(first, 8));
    const [fence] = scene.kv.entries(stepOf(two.opId));
    const value = JSON.stringify({ ...(JSON.parse(fence?.value ?? '') as Json), step: 'rewire' });
    scene.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.journalStep(two.opId, 'rewire'), value }] });
    const second = scene.lead();
    expect(await scene.run(second, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'RecordUnreadable', text: expect.stringContaining('rewire') });
  });

  it('is a step whose record needs a higher level: held, and the level is named', async () => {
    const hold = await held(
      (record) => ({ ...record, neededLevel: 99 }),
      (opId) => KEYS.journalStep(opId, 'fence'),
    );
    expect(hold).toMatchObject({ reason: 'RecordUnreadable', text: expect.stringContaining('needs feature level 99') });
  });

  it('is a step whose result has a kind it does not know: held', async () => {
    const hold = await held(
      (record) => ({ ...record, state: 'done', result: { how: 'unplugged' } }),
      (opId) => KEYS.journalStep(opId, 'fence'),
    );
    expect(hold).toMatchObject({ reason: 'RecordUnreadable', text: expect.stringContaining('result.how') });
  });
});
