import type { PlantedPlace } from '../../sim/planted/planted-bug.ts';

/** A field that the made-up next build writes into every record beside the known ones. */
export const MADE_UP_FIELD = { since: 'the next build' };
/** An opinion that this build has no word for. */
export const MADE_UP_VERDICT = 'vouched';
/** Names the member that the next build vouches for; absent: nobody. */
export const VETO_VARIABLE = 'UNDERSTUDY_MADE_UP_VETO';

/**
 * Edits that make the next build of this one: it understands a level more, writes a field into
 * every record, and has an opinion of a new kind.
 */
export const NEXT_BUILD: readonly PlantedPlace[] = [
  {
    name: 'understands the next level',
    file: 'shared/src/feature-level.ts',
    find: 'export const FEATURE_LEVEL = 2;',
    replace: 'export const FEATURE_LEVEL = 3;',
  },
  {
    name: 'writes a field of its own into every record',
    file: 'shared/src/term/guarded-commit.ts',
    find: 'serializeRecord({ ...record, ...stamp })',
    replace: `serializeRecord({ ...record, ...stamp, madeUp: ${JSON.stringify(MADE_UP_FIELD)} })`,
  },
  {
    name: 'knows a verdict more',
    file: 'shared/src/records/cluster.ts',
    find: "z.enum(['alive', 'suspect', 'dead', 'unknown', 'left'])",
    replace: `z.enum(['alive', 'suspect', 'dead', 'unknown', 'left', '${MADE_UP_VERDICT}'])`,
  },
  {
    name: 'vouches for a member',
    file: 'coordinator/src/observing/opinion-publisher.ts',
    find: 'verdict: opinion.verdict,',
    replace: `verdict: opinion.member === process.env['${VETO_VARIABLE}'] ? '${MADE_UP_VERDICT}' : opinion.verdict,`,
  },
];
