import { DEFAULT_POLICY, type GroupPolicy, type Objectives } from '../policy.ts';

/** Some fields of a policy, in their sections. */
export interface PolicyChange {
  readonly detect?: Partial<GroupPolicy['detect']>;
  readonly guard?: Partial<GroupPolicy['guard']>;
  readonly recover?: Partial<GroupPolicy['recover']>;
  readonly identity?: Partial<GroupPolicy['identity']>;
  readonly hooks?: Partial<GroupPolicy['hooks']>;
  readonly objectives?: Objectives;
}

/**
 * A policy with those fields, and with all others of the given one. The rules between fields are
 * not checked, so that a test can break them.
 */
export const policyWith = (change: PolicyChange = {}, of: GroupPolicy = DEFAULT_POLICY): GroupPolicy => ({
  ...of,
  detect: { ...of.detect, ...change.detect },
  guard: { ...of.guard, ...change.guard },
  recover: { ...of.recover, ...change.recover },
  identity: { ...of.identity, ...change.identity },
  hooks: { ...of.hooks, ...change.hooks },
  ...(change.objectives && { objectives: change.objectives }),
});

/** Several changes as one. The last one wins, field by field. */
export const joinedChanges = (...changes: readonly (PolicyChange | undefined)[]): PolicyChange =>
  changes.reduce<PolicyChange>(
    (so, change) => ({
      detect: { ...so.detect, ...change?.detect },
      guard: { ...so.guard, ...change?.guard },
      recover: { ...so.recover, ...change?.recover },
      identity: { ...so.identity, ...change?.identity },
      hooks: { ...so.hooks, ...change?.hooks },
      ...(so.objectives || change?.objectives ? { objectives: { ...so.objectives, ...change?.objectives } } : {}),
    }),
    {},
  );
