import { describe, expect, it } from 'vitest';
import { quotaFamilyOf, sameQuota } from './ended-for.ts';

const candidate = (instanceType: string) => ({ instanceType, az: 'a', subnetId: 's' });

describe('a quota', () => {
  it.each([
    ['m7i.large', 'standard'],
    ['c7g.xlarge', 'standard'],
    ['im4gn.large', 'standard'],
    ['g5.xlarge', 'graphics'],
    ['vt1.3xlarge', 'graphics'],
    ['p5.48xlarge', 'p'],
    ['mac2.metal', 'mac'],
    ['inf2.xlarge', 'inf'],
    ['x2idn.16xlarge', 'x'],
  ])('of %s is that of the family %s', (type, family) => expect(quotaFamilyOf(type)).toBe(family));

  it('is shared by the candidates of one family, and by no other', () =>
    expect(sameQuota([candidate('m7i.large'), candidate('g5.xlarge'), candidate('r7i.large')], 0)).toEqual([0, 2]));
});
