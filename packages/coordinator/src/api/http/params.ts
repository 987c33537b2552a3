import { isName } from '@understudy/shared';
import * as z from 'zod';

/** A group or a member's name in a path. */
export const NameSchema = z.string().refine(isName, 'want 1-63 of a-z 0-9 . _ -, first a letter or digit');

/** Path parameters of everything that is about one member. */
export const MemberParamsSchema = z.object({ group: NameSchema, name: NameSchema });
