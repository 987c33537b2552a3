import type { PreparationRecord, Revision } from '@understudy/shared';

/** What is made for a suspect, as it stands in etcd. */
export interface OpenPreparation {
  readonly record: PreparationRecord;
  readonly modRevision: Revision;
}

/**
 * How one run of a preparation ended. `made`: all is there. `failed`: it cannot be made, and has to
 * be dropped. `removed`: it was dropped, and nothing of it is there now. `parked`: it is to be run
 * again, by whoever leads then.
 */
export type PreparationOutcome =
  | { readonly kind: 'made' | 'removed' }
  | { readonly kind: 'failed' | 'parked'; readonly why: string };
