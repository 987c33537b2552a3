import type { BackoffRange } from '@understudy/shared';

/** Between attempts to reach etcd. */
export const STORE_BACKOFF: BackoffRange = { baseMs: 50, capMs: 1_000 };
