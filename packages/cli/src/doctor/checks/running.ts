import type { MembersView, StatusView } from '@understudy/shared';
import { coordinatorClient } from '@understudy/shared/node';
import { wantsPerson } from '../../health.ts';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';
import { readToken } from '../../client/token-file.ts';

export interface RunningFacts {
  readonly status: StatusView;
  readonly notEnrolled: MembersView['notEnrolled'];
}

/**
 * What the coordinators that run say themselves: problems, and instances whose tags are wrong.
 * Pure.
 */
export function judgeRunning(facts: RunningFacts | null): readonly Finding[] {
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
  async ({ peers, config }: CoordinatorHost): Promise<RunningFacts | null> => {
    const urls = (await peers()).filter(({ httpProblem }) => httpProblem === null).map(({ httpUrl }) => httpUrl);
    if (urls.length === 0) return null;
    const client = coordinatorClient(urls, { token: readToken(config.http.operatorTokenFile) });
    const [status, { notEnrolled }] = await Promise.all([client.status(), client.membersView()]);
    return { status, notEnrolled };
  },
  judgeRunning,
);
