import type { HookMoment, HookOutcome, RunHook } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import type { ProcessClock } from '../kernel/process-clock.ts';
import { between } from './random-streams.ts';
import type { ClusterShape, SimulatedCluster } from './simulated-cluster.ts';

/** Names of the hooks of the group, by moment. */
export const HOOKS: Readonly<Record<HookMoment, string>> = {
  'before-fence': 'drain',
  'after-fence': 'fenced',
  'before-activate': 'check',
  'after-activate': 'tell',
  'on-failure': 'alarm',
};

/** Those that run on an instance through Systems Manager, where the group has such, and where. */
export const COMMANDS: Readonly<Record<string, 'predecessor' | 'successor'>> = {
  [HOOKS['before-fence']]: 'predecessor',
  [HOOKS['after-activate']]: 'successor',
  [HOOKS['on-failure']]: 'predecessor',
};

const MOMENTS = Object.keys(HOOKS) as HookMoment[];

export function hookPolicy({ identities, commands }: Pick<ClusterShape, 'identities' | 'commands'>): PolicyChange {
  if (identities !== true) return {};
  const runs = (name: string) =>
    commands === true && COMMANDS[name] !== undefined ? { command: name } : { program: name };
  return { hooks: { list: MOMENTS.map((at) => ({ name: HOOKS[at], at, ...runs(HOOKS[at]), timeoutMs: 10_000 })) } };
}

/** One in so many says no, and passes when it is asked again. */
const REFUSES_ONE_IN = 12;

/** Runs the hooks of a coordinator: each takes its time, and ends with the process. */
export function simulatedHooks(cluster: SimulatedCluster, name: string, clock: ProcessClock): RunHook {
  const random = cluster.streamOf(`${name}-hooks`);
  return async (_hook, { id }, signal): Promise<HookOutcome> => {
    cluster.tell({ kind: 'hook', id, what: 'begun' });
    const takesMs = between(random, 50, 4_000);
    const refuses = between(random, 1, REFUSES_ONE_IN) === 1;
    try {
      await clock.sleep(takesMs, signal);
    } catch {
      return { kind: 'refused', text: 'this coordinator does not lead any more' };
    }
    cluster.tell({ kind: 'hook', id, what: refuses ? 'refused' : 'passed' });
    return refuses ? { kind: 'refused', text: 'not now' } : { kind: 'passed', text: 'ok' };
  };
}
