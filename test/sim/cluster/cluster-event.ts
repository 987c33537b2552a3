import type { SimEvent } from '@understudy/cloud-sim';
import type { MemberId, OpinionVerdict } from '@understudy/shared';
import type { SimKvCommit } from '@understudy/shared/testing';

/**
 * What is seen of the cluster from outside, in the order it happens. Invariants, trace and coverage
 * are fed with nothing else.
 */
export type ClusterEvent =
  | { readonly kind: 'commit'; readonly commit: SimKvCommit }
  | { readonly kind: 'cloud'; readonly event: SimEvent }
  | { readonly kind: 'serving'; readonly member: MemberId; readonly instanceId: string; readonly serving: boolean }
  | {
      readonly kind: 'opinion-sent';
      readonly coordinatorId: string;
      readonly member: MemberId;
      readonly verdict: OpinionVerdict;
    }
  /** A hook of a recovery was begun, or has ended. */
  | { readonly kind: 'hook'; readonly id: string; readonly what: 'begun' | 'passed' | 'refused' }
  /** By a leader, for the document of `instanceId`, to whoever is on `holder`; answered or not. */
  | {
      readonly kind: 'key-given';
      readonly member: MemberId;
      readonly instanceId: string;
      readonly holder: string;
      readonly publicKey: string;
      readonly repeated: boolean;
    }
  /**
   * A crawl was written into the inventory history; its first page was asked for at `fromMs`.
   * `states`: of all instances, as the history has them after it. Null: it is of another kind, or
   * not complete.
   */
  | {
      readonly kind: 'crawl';
      readonly who: string;
      readonly of: string;
      readonly term: number;
      readonly fromMs: number;
      readonly states: ReadonlyMap<string, string> | null;
    }
  /**
   * A script of a hook was asked for by a coordinator, for until `wallMs` by its clock; or its
   * lines were executed on an instance, at `wallMs` by its clock.
   */
  | {
      readonly kind: 'script';
      readonly id: string;
      readonly who: string;
      readonly what: 'asked' | 'run' | 'again' | 'not-run';
      readonly wallMs: number;
    }
  /** By its own watchdog. */
  | { readonly kind: 'reset'; readonly instanceId: string }
  | { readonly kind: 'log'; readonly who: string; readonly level: string; readonly event: string }
  | { readonly kind: 'process'; readonly who: string; readonly what: string }
  | { readonly kind: 'fault'; readonly id: string; readonly what: string }
  | { readonly kind: 'fatal'; readonly coordinatorId: string; readonly error: unknown };

export type ClusterListener = (clusterEvent: ClusterEvent, nowMs: number) => void;
