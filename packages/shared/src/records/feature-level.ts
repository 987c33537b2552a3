import * as z from 'zod';
import { placed, recordBase } from './record.ts';

/**
 * `level/current`: the feature level that coordinators have agreed on. Raised by the leader once
 * every live coordinator understands a higher one, and never lowered; who does not understand it
 * takes no part (`docs/upgrading.md`).
 */
export const FeatureLevelRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    level: z.number().int().min(1),
    /** The coordinator that raised it, and its term. For people. */
    coordinatorId: z.string(),
    term: z.number(),
  }),
  {
    area: 'level',
    parts: [1],
    says: () => ({}),
    fault: ([name = '']) => (name === 'current' ? null : `"${name}" is no key of ours: there is one level, "current"`),
  },
);
export type FeatureLevelRecord = z.infer<typeof FeatureLevelRecordSchema>;
