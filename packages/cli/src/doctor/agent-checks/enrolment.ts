import { readFileSync, statSync } from 'node:fs';
import { type Clock, errorText } from '@understudy/shared';
import { fetchWith } from '../../client/fetch-with.ts';
import type { AgentHost } from '../agent-host.ts';
import { check } from '../check.ts';
import { fault, type Finding, note, ok, warning } from '../finding.ts';

const ASK_MS = 3_000;

export interface AgentEnrolmentFacts {
  /** Why the authority cannot be read. Null: it can, or none is named. */
  readonly authorityProblem: string | null;
  /** Null: it is answered by a coordinator whose certificate is vouched for. */
  readonly coordinators: readonly { readonly url: string; readonly problem: string | null }[];
  /** What the agent enrols with. `mode` null: it has not asked yet. */
  readonly secret: { readonly path: string; readonly mode: number | null };
  readonly hasKey: boolean;
}

function judgeCoordinators(all: AgentEnrolmentFacts['coordinators']): readonly Finding[] {
  const silent = all.filter(({ problem }) => problem !== null);
  const texts = silent.map(({ url, problem }) => `${url}: ${problem}`).join('; ');
  const remedy =
    "let HTTPS from here reach them without a NAT between, name them as their certificates do, and give their certificates' authority in key.caFile";
  if (silent.length === 0) return [ok(`all ${all.length} coordinators of key.enrolAt answer over TLS`)];
  return [
    silent.length === all.length
      ? fault(`no coordinator of key.enrolAt answers: ${texts}`, remedy)
      : warning(`not every coordinator of key.enrolAt answers, and only the leader gives keys: ${texts}`, remedy),
  ];
}

/** Whether this agent can get its key by identity. Null: it wants none. Pure. */
export function judgeAgentEnrolment(facts: AgentEnrolmentFacts | null): readonly Finding[] {
  if (facts === null) return [note('the key does not come by identity (key.enrolAt)')];
  const { authorityProblem, coordinators, secret, hasKey } = facts;
  if (authorityProblem !== null)
    return [fault(`key.caFile: ${authorityProblem}`, 'put the authority of the coordinators there (PEM)')];
  const isOpen = secret.mode !== null && (secret.mode & 0o077) !== 0;
  return [
    ...judgeCoordinators(coordinators),
    ...(isOpen
      ? [
          fault(
            `${secret.path} has mode ${secret.mode?.toString(8)}`,
            'let root alone read it',
            `chmod 600 ${secret.path}`,
          ),
        ]
      : []),
    hasKey
      ? ok('it has a key')
      : warning(
          'it has no key yet',
          'read its journal: key.fetch.failed says why, and what to do (docs/enrolment.md)',
          'journalctl --unit understudy-agent.service --grep key.fetch.failed --lines 5',
        ),
  ];
}

const modeOf = (path: string): number | null => (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777 || null;

/** Whether who answers at the address is a coordinator is for its certificate to say. */
async function problemAt(url: string, ask: typeof fetch, clock: Clock): Promise<string | null> {
  const limit = new AbortController();
  const timer = clock.setTimer(ASK_MS, () => limit.abort(new Error(`no answer in ${ASK_MS} ms`)));
  try {
    const reply = await ask(`${url}/healthz`, { signal: limit.signal, redirect: 'manual' });
    await reply.body?.cancel();
    return null;
  } catch (error) {
    return errorText(error instanceof Error && error.cause !== undefined ? error.cause : error);
  } finally {
    timer.cancel();
  }
}

/** Asks every coordinator for `/healthz`, as the agent would ask for its key. */
export const agentEnrolment = check(
  'enrolment',
  async ({ config, clock }: AgentHost): Promise<AgentEnrolmentFacts | null> => {
    const { enrolAt, caFile } = config.key;
    if (enrolAt === undefined) return null;
    const path = (name: string) => `${config.rootDir}${name}`;
    const state = (name: string) => path(`${config.stateDir}/${name}`);
    const secret = { path: state('enrolment.json'), mode: modeOf(state('enrolment.json')) };
    const hasKey = [path('/run/understudy/fetched.key'), state('keys.json')].some((file) => modeOf(file) !== null);
    const rest = { secret, hasKey };
    let ca: string | undefined;
    try {
      ca = caFile === undefined ? undefined : readFileSync(path(caFile), 'utf8');
    } catch (error) {
      return { ...rest, authorityProblem: errorText(error), coordinators: [] };
    }
    const ask = fetchWith(ca === undefined ? {} : { ca });
    const coordinators = enrolAt.map(async (url) => ({ url, problem: await problemAt(url, ask, clock) }));
    return { ...rest, authorityProblem: null, coordinators: await Promise.all(coordinators) };
  },
  judgeAgentEnrolment,
);
