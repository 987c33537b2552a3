import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';

/** What an instance was known by before a step made it boot again. */
const before = {
  instanceId: z.string(),
  /** Boot epoch of the newest heartbeat, as digits. Null: this leader has heard none. */
  bootEpochBefore: z.string().nullable(),
};

/** `isOpen`: a call of the step was sent whose outcome is not known; it may still land. */
const asked = { why: z.string(), isOpen: z.boolean() };

export const REBOOT = {
  name: 'reboot',
  per: 'recovery',
  request: z.strictObject(before),
  noted: NOTHING_KEPT,
  result: z.strictObject({ asked: z.boolean(), ...asked }),
} as const;

export const RESTART = {
  name: 'restart',
  per: 'recovery',
  /** `launchedAtWallMs`: when EC2 says it was started last, before this step. */
  request: z.strictObject({ ...before, launchedAtWallMs: z.number().nullable() }),
  noted: NOTHING_KEPT,
  result: z.strictObject({ started: z.boolean(), ...asked }),
} as const;

export const MEND = {
  name: 'mend',
  per: 'recovery',
  request: z.strictObject(before),
  noted: NOTHING_KEPT,
  result: NOTHING_KEPT,
} as const;
