import type { FleetMember, MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { FleetRows } from './fleet-rows.ts';

const many = (count: number): MemberId[] => Array.from({ length: count }, (_, index): MemberId => `db/m${index}`);

/** Rows that say how they are told to. */
function rowsOf(count: number) {
  const reasons = new Map<MemberId, string>();
  let made = 0;
  const rows = new FleetRows((member) => {
    made++;
    return { member, reason: reasons.get(member) ?? '' } as FleetMember;
  });
  rows.fill(many(count));
  return { rows, reasons, madeSince: () => made, forget: () => (made = 0) };
}

describe('the rows of the fleet', () => {
  it('name what is different, and only that', () => {
    const { rows, reasons } = rowsOf(3);
    expect(rows.refresh(new Set())).toEqual([]);
    reasons.set('db/m1', 'dead');
    expect(rows.refresh(new Set(['db/m1'])).map(({ index, member }) => [index, member.reason])).toEqual([[1, 'dead']]);
    expect(rows.refresh(new Set(['db/m1']))).toEqual([]);
    expect(rows.rows[1]?.reason).toBe('dead');
  });

  it('are looked at in turn, so that what comes with time alone is seen too', () => {
    const { rows, reasons } = rowsOf(600);
    reasons.set('db/m599', 'its pause has ended');
    const seen = [1, 2, 3].map(() => rows.refresh(new Set()).length);
    expect(seen).toEqual([0, 0, 1]);
  });

  it('cost a pass what changed, and not the size of the fleet', () => {
    const { rows, madeSince, forget } = rowsOf(10_000);
    forget();
    rows.refresh(new Set(['db/m9999']));
    expect(madeSince()).toBe(251);
  });

  it('are none where there is no member', () => {
    const { rows } = rowsOf(0);
    expect(rows.refresh(new Set(['db/gone']))).toEqual([]);
  });
});
