import * as z from 'zod';

/** What begins while a member is only suspect (`docs/prepare.md`). */
export const prepareField = z.enum(['nothing', 'reads', 'trial']).optional();

/** A policy that says nothing of it wants nothing. */
export const preparesNothing = (policy: {
  readonly recover: { readonly prepareWhileSuspect?: z.infer<typeof prepareField> };
}): boolean => (policy.recover.prepareWhileSuspect ?? 'nothing') === 'nothing';
