import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';
import { failedResult } from './attempt-records.ts';

/** What an undo writes of the retired instance: its steps read each other's records. */

export const BRINGBACK = {
  name: 'bringback',
  per: 'recovery',
  /** `launchedAtWallMs`: when EC2 says it was started last, before this step. */
  request: z.strictObject({ instanceId: z.string(), launchedAtWallMs: z.number().nullable() }),
  noted: NOTHING_KEPT,
  /** `isOpen`: a start was sent whose outcome is not known; it may still land. */
  result: z.union([z.strictObject({ isOpen: z.boolean() }), failedResult]),
} as const;

export const STANDDOWN = {
  name: 'standdown',
  per: 'recovery',
  request: z.strictObject({ instanceId: z.string() }),
  noted: NOTHING_KEPT,
  result: z.strictObject({ how: z.enum(['stopped', 'gone']) }),
} as const;
