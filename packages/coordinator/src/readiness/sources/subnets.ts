import type { Blocker } from '@understudy/shared';
import { known, type ReadinessSource } from '../facts.ts';
import { REMEDIES } from '../remedies.ts';

/** Free addresses of the subnets that a replacement may be launched in, as EC2 counts them. */
export const subnetsSource: ReadinessSource = {
  name: 'subnets',
  look({ plan }) {
    const { subnets = [], lookedAtWallMs = 0 } = plan ?? {};
    if (subnets.length === 0) return null;
    const full = subnets.filter(({ freeAddresses }) => freeAddresses < 1);
    const text = subnets
      .map(({ subnetId, freeAddresses }) => `${subnetId} has ${freeAddresses} free addresses`)
      .join(', ');
    const stops = full.length === subnets.length;
    const blockers = full.map(({ subnetId }): Blocker => {
      const told = `subnet ${subnetId} has no free address${stops ? ', and there is no other place' : ''}`;
      return { kind: 'subnet', code: 'SubnetFull', text: told, remedy: REMEDIES.subnet, stops, lookedAtWallMs };
    });
    return { fact: known('subnets', lookedAtWallMs, text), blockers };
  },
};
