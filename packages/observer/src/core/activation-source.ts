import type { AckActivation, MemberId, MonotonicMs, ServePromise } from '@understudy/shared';

/**
 * What an ack tells an instance; computed from the etcd view by the shell, `unknown` when that view
 * proves nothing for it.
 */
export interface ActivationAnswer {
  readonly activation: AckActivation;
  readonly incarnation: number;
  readonly holdsForMs: number;
  /**
   * The newest revision of etcd that the answer rests on: the leader's term, or the revision of the
   * record that decides if that is newer.
   */
  readonly term: number;
  readonly leaderLive: boolean;
}

export interface ActivationSource {
  /**
   * `bootHeardAtMs`: when this coordinator heard the first authenticated datagram of the instance's
   * present boot epoch. `promise`: of the heartbeat that is answered.
   */
  answer(
    member: MemberId,
    instanceHash: string,
    bootHeardAtMs: MonotonicMs,
    promise: ServePromise | null,
  ): ActivationAnswer;
}
