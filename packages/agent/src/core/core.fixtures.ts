import { type Ack, type AckActivation, monotonicMs } from '@understudy/shared';
import type { Answer } from './answers.ts';

/** Builders for the tests of the core. */
export const INSTANCE_HASH = 'aa'.repeat(8);

export const ackOf = (changes: Partial<Ack> = {}): Ack => ({
  keyId: 1,
  leaderLive: true,
  agentId: '11'.repeat(16),
  instanceHash: INSTANCE_HASH,
  bootEpoch: 7n,
  sequence: 1n,
  challenge: 'cc'.repeat(8),
  coordinatorHash: 100,
  opinion: 'alive',
  activation: 'active',
  incarnation: 1,
  holdsForMs: 0,
  term: 5n,
  newestEpoch: null,
  contested: false,
  heartbeatIntervalMs: null,
  ...changes,
});

export const answerWith = (
  activation: AckActivation,
  rank: { readonly incarnation?: number; readonly term?: bigint } = {},
  changes: Partial<Answer> = {},
): Answer => ({
  activation,
  rank: { incarnation: rank.incarnation ?? 1, term: rank.term ?? 5n },
  leaderLive: true,
  askedAtMs: monotonicMs(1_000),
  countsUntilMs: 1_000_000,
  holdsForMs: 0,
  ...changes,
});
