import { hasCode, type MembersView, type StatusView } from '@understudy/shared';
import { coordinatorClient } from '@understudy/shared/node';
import { wantsPerson } from '../../health.ts';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

export interface RunningFacts {
  readonly status: StatusView;
  readonly notEnrolled: MembersView['notEnrolled'];
}

/**
 * What the coordinators that run say themselves: problems, and instances whose tags are wrong.
 * Pure.
 */
export function judgeRunning(facts: RunningFacts | 'refused' | null): readonly Finding[] {
  if (facts === 'refused')
    return [note('coordinators run, and show a stranger nothing: name a token by UNDERSTUDY_TOKEN_FILE')];
  if (facts === null)
    return [note('no coordinator runs that could say what it sees (tags, enrolment, its own trouble)')];
  const { status, notEnrolled } = facts;
  const problems = status.problems.map((problem) => {
    const text = `${status.coordinatorId} says: ${problem.code}: ${problem.text}`;
    return wantsPerson(problem) ? fault(text, problem.remedy, 'understudy status') : warning(text, problem.remedy);
  });
  const tags = notEnrolled.map(({ instanceId, code, text, remedy }) =>
    warning(`${instanceId || 'an instance'} is not enrolled: ${code}: ${text}`, remedy, 'understudy members'),
  );
  const level = status.leader === null ? [fault('nobody leads', 'see the problems of etcd', 'understudy status')] : [];
  const all = [...level, ...problems, ...tags];
  return all.length > 0
    ? all
    : [ok(`${status.coordinatorId} runs and has no problem; ${status.counts.members} members`)];
}

export const running = check(
  'running coordinators',
  async ({ peers, asked }: CoordinatorHost): Promise<RunningFacts | 'refused' | null> => {
    const urls = (await peers()).filter(({ httpProblem }) => httpProblem === null).map(({ httpUrl }) => httpUrl);
    if (urls.length === 0) return null;
    const client = coordinatorClient(urls, asked());
    try {
      const [status, { notEnrolled }] = await Promise.all([client.status(), client.membersView()]);
      return { status, notEnrolled };
    } catch (error) {
      if (hasCode(error, 'OPERATOR_UNKNOWN')) return 'refused';
      throw error;
    }
  },
  judgeRunning,
);
