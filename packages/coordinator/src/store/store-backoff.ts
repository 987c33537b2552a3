import type { BackoffRange } from '@understudy/shared';

/** Waits between attempts to reach etcd. */
export const STORE_BACKOFF: BackoffRange = { baseMs: 50, capMs: 1_000 };
