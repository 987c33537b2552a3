import type { PlannedTargets, RegisteredTarget, TargetHealthSeen } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { HELD_BY_NOBODY } from './held-elsewhere.ts';
import { freshTargets, targetItem, targetMove as moveOf } from './target-move.ts';

const [OLD, NEW] = ['i-old', 'i-new'];
const at = (id: string, port = 80): RegisteredTarget => ({ id, port, az: null, quicServerId: null });
const seen = (id: string, state: string, port = 80, reason: string | null = null): TargetHealthSeen => ({
  ...at(id, port),
  ...{ state, reason, text: null },
});
const want = { fresh: [at(NEW), at(NEW, 8_080)], old: [at(OLD), at(OLD, 8_080)] };

type Moved = Parameters<typeof moveOf>;
const targetMove = (now: Moved[0], wanted: Moved[1], held: Moved[2] = HELD_BY_NOBODY) => moveOf(now, wanted, held);

describe('a target group', () => {
  test('keeps an address that another machine has by now, and gets the replacement all the same', () => {
    const held = new Map([['10.0.0.1', 'with i-b']]);
    const ips = { fresh: [at('10.0.0.2')], old: [at('10.0.0.1'), at('10.0.0.9')] };
    const now = [seen('10.0.0.1', 'healthy'), seen('10.0.0.9', 'unused')];
    expect(targetMove(now, ips, held)).toEqual({ kind: 'change', add: ips.fresh, remove: [at('10.0.0.9')] });
    expect(targetMove([seen('10.0.0.1', 'healthy'), seen('10.0.0.2', 'healthy')], ips, held).kind).toBe('there');
  });
  test('gets every port of the replacement, and lets go of exactly those of the failed instance', () => {
    const others = [seen('i-other', 'healthy'), seen(OLD, 'unused', 9_090)];
    expect(targetMove([seen(OLD, 'unused'), seen(OLD, 'unused', 8_080), ...others], want)).toEqual({
      ...{ kind: 'change', add: want.fresh, remove: want.old },
    });
  });
  test.each(['draining', 'unhealthy.draining'])('a registration that is %s is on its way out', (state) => {
    const move = targetMove([seen(OLD, state), seen(NEW, state), seen(NEW, 'healthy', 8_080)], want);
    expect(move).toEqual({ kind: 'change', add: [at(NEW)], remove: [] });
  });
  test.each(['healthy', 'unavailable'])('with the replacement %s is done', (state) =>
    expect(targetMove([seen(NEW, state), seen(NEW, state, 8_080)], want)).toEqual({ kind: 'there' }),
  );
  test.each(['initial', 'unhealthy', 'something new'])('with one %s is waited for', (state) =>
    expect(targetMove([seen(NEW, 'healthy'), seen(NEW, state, 8_080)], want).kind).toBe('unhealthy'),
  );
  test('that its balancer does not use says so', () =>
    expect(targetMove([seen(NEW, 'healthy'), seen(NEW, 'unused', 8_080, 'Target.NotInUse')], want).kind).toBe(
      'unused',
    ));
  test('whose address is kept lets go of nothing', () =>
    expect(targetMove([seen(OLD, 'healthy')], { fresh: [at(OLD)], old: [at(OLD)] })).toEqual({ kind: 'there' }));
});

const planned: PlannedTargets = {
  targetGroupArn: 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef',
  targetType: 'ip',
  targets: [
    { id: '10.0.0.1', port: 80, az: 'us-east-1a' },
    { id: '10.0.0.1', port: 81, az: 'all' },
    { id: '10.0.0.9', port: 80, az: null },
  ],
  zones: null,
};

test('what is registered for the replacement: each port once, in its own zone', () =>
  expect(
    freshTargets({ ...planned, targets: planned.targets.slice(0, 2) }, { id: '10.0.0.2', az: 'us-east-1b' }),
  ).toEqual([
    { id: '10.0.0.2', port: 80, az: 'us-east-1b', quicServerId: null },
    { id: '10.0.0.2', port: 81, az: 'all', quicServerId: null },
  ]));

test('a port that an earlier instance has left, too, is registered once', () =>
  expect(freshTargets(planned, { id: '10.0.0.2', az: 'us-east-1b' }).map((one) => one.port)).toEqual([80, 81]));

test('a step is keyed by the end of the ARN', () => expect(targetItem(planned)).toBe('web.0123456789abcdef'));
