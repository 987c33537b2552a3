import { existsSync, readFileSync } from 'node:fs';
import { check } from '../check.ts';
import type { AgentHost } from '../agent-host.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';

export interface ActivationFacts {
  /** What the activation file says: `active`, `standby`, `fenced`. Null: there is none. */
  readonly state: string | null;
  readonly asserted: boolean;
  /** Name → ActiveState of the target and the workloads. */
  readonly units: readonly { readonly name: string; readonly state: string }[];
}

const isUp = (state: string): boolean => state !== 'inactive' && state !== 'failed';

/** Whether what runs is what the agent was told. Pure. */
export function judgeActivation({ state, asserted, units }: ActivationFacts): readonly Finding[] {
  const may = state === 'active';
  const up = units.filter((unit) => isUp(unit.state)).map(({ name }) => name);
  const down = units.filter((unit) => !isUp(unit.state)).map(({ name }) => name);
  const found: Finding[] = [];
  if (asserted !== may)
    found.push(
      warning(
        `the agent says ${state ?? 'nothing'}, and the assert file is ${asserted ? 'there' : 'not there'}`,
        'look again: a change may be under way; then see whether the agent runs',
      ),
    );
  if (!may && up.length > 0)
    found.push(
      fault(
        `this instance may not serve (${state ?? 'nothing said'}), and ${up.join(', ')} is up`,
        'stop it; then find out who started it',
        `systemctl stop ${up.join(' ')}`,
      ),
    );
  if (may && down.length > 0)
    found.push(
      fault(
        `this instance is to serve, and ${down.join(', ')} is down`,
        'see why it did not start',
        `systemctl status ${down.join(' ')}`,
      ),
    );
  return found.length > 0 ? found : [ok(`${state ?? 'nothing said'}, and ${units.length} units are as that wants`)];
}

function stateIn(path: string): string | null {
  try {
    const { state } = JSON.parse(readFileSync(path, 'utf8')) as { state?: unknown };
    return typeof state === 'string' ? state : null;
  } catch {
    return null;
  }
}

export const activation = check(
  'activation',
  async ({ config, unit }: AgentHost): Promise<ActivationFacts> => {
    const { activation: told, rootDir } = config;
    const names = told.systemdTarget === undefined ? [] : [told.systemdTarget, ...told.workloads];
    return {
      state: stateIn(`${rootDir}${told.file}`),
      asserted: existsSync(`${rootDir}${told.assertFile}`),
      units: await Promise.all(names.map(async (name) => ({ name, state: (await unit(name))['ActiveState'] ?? '' }))),
    };
  },
  judgeActivation,
);
