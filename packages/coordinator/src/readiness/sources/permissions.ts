import { permissionsText } from '@understudy/shared';
import { known, type ReadinessSource, unknown } from '../facts.ts';

/**
 * EC2's word on the calls of its plans. What it would deny is a problem of the plan; here is told
 * how far it was asked.
 */
export const permissionsSource: ReadinessSource = {
  name: 'permissions',
  look({ plan, asksPermissions }) {
    if (plan === null || !asksPermissions) return null;
    const text = permissionsText(plan.permissions);
    const isAsked = plan.permissions.unknown === 0;
    return {
      fact: isAsked ? known('permissions', plan.lookedAtWallMs, text) : unknown('permissions', text),
      blockers: [],
    };
  },
};
