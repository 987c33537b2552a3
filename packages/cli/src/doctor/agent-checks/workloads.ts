import { check } from '../check.ts';
import type { AgentHost, UnitProperties } from '../agent-host.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';

export interface WorkloadFacts {
  readonly target: string | null;
  /** Path that the units have to assert. */
  readonly assertFile: string;
  readonly workloads: readonly { readonly name: string; readonly unit: UnitProperties }[];
  readonly targetUnit: UnitProperties | null;
}

const PAGE = 'docs/workloads.md has the drop-in to copy';
/** With the others, processes of a unit that is `inactive` may go on and serve. */
const KILL_MODES: readonly string[] = ['control-group', 'mixed'];
const KILL_MODE_REMEDY = 'set KillMode=control-group or mixed in a drop-in; docs/workloads.md says why';
const has = (unit: UnitProperties, property: string, name: string): boolean =>
  (unit[property] ?? '').split(/\s+/).includes(name);

/** A unit asserts the file in its own text or in a drop-in. */
const asserts = (unit: UnitProperties, path: string): boolean =>
  (unit['Text'] ?? '').split('\n').some((line) => line.trim() === `AssertPathExists=${path}`);

function judgeOne(name: string, unit: UnitProperties, target: string, assertFile: string): readonly Finding[] {
  if (unit['LoadState'] === 'not-found')
    return [
      fault(
        `${name}: systemd knows no such unit`,
        'correct activation.workloads, or install it',
        `systemctl cat ${name}`,
      ),
    ];
  const found: Finding[] = [];
  const show = `systemctl cat ${name}`;
  if (!has(unit, 'Requisite', target))
    found.push(fault(`${name} starts by hand on a fenced machine: no Requisite=${target}`, PAGE, show));
  if (!has(unit, 'PartOf', target))
    found.push(fault(`${name} may go on when the target stops: no PartOf=${target}`, PAGE, show));
  if (!has(unit, 'After', target))
    found.push(fault(`${name} is not ordered after the target: no After=${target}`, PAGE, show));
  if (!asserts(unit, assertFile))
    found.push(
      warning(`${name} does not assert ${assertFile}: a start queued before a fence is still carried out`, PAGE, show),
    );
  const killMode = unit['KillMode'];
  if (killMode !== undefined && !KILL_MODES.includes(killMode))
    found.push(fault(`${name} may leave processes behind when it stops: KillMode=${killMode}`, KILL_MODE_REMEDY, show));
  for (const pulls of ['BindsTo', 'Requires'])
    if (has(unit, pulls, target))
      found.push(
        fault(
          `${name} pulls the target in by ${pulls}=, and with it every other workload`,
          `replace it by Requisite=; ${PAGE}`,
          show,
        ),
      );
  const wantedBy = (unit['WantedBy'] ?? '').split(/\s+/).filter((one) => one !== '');
  if (!wantedBy.includes(target))
    found.push(
      fault(
        `${name} is not started with the target`,
        'let the target want it',
        `systemctl add-wants ${target} ${name}`,
      ),
    );
  const others = wantedBy.filter((one) => one !== target);
  if (others.length > 0 && found.length === 0)
    found.push(ok(`${name} is also wanted by ${others.join(', ')}; its Requisite= keeps it down`));
  else if (others.length > 0)
    found.push(
      warning(
        `${name} is also wanted by ${others.join(', ')}`,
        'disable it there where no generator adds it',
        `systemctl disable ${name}`,
      ),
    );
  return found.some(({ severity }) => severity !== 'ok') ? found : [ok(`${name} follows ${target}`), ...found];
}

/** Whether every workload starts and stops with the target, and only so. Pure. */
export function judgeWorkloads({ target, assertFile, workloads, targetUnit }: WorkloadFacts): readonly Finding[] {
  if (target === null || targetUnit === null)
    return [
      warning(
        'no activation.systemdTarget: hooks alone start and stop the workload',
        'see docs/workloads.md; hooks are not read back',
      ),
    ];
  const ofTarget: Finding[] = [];
  if (targetUnit['LoadState'] === 'not-found')
    ofTarget.push(
      fault(
        `${target} is not installed`,
        'install the package or run install.sh of the tarball',
        `systemctl cat ${target}`,
      ),
    );
  else if (!asserts(targetUnit, assertFile))
    ofTarget.push(
      fault(
        `${target} does not assert ${assertFile}: anybody can start it`,
        'take the unit of the package',
        `systemctl cat ${target}`,
      ),
    );
  const wantedBy = (targetUnit['WantedBy'] ?? '').trim();
  if (wantedBy !== '')
    ofTarget.push(
      fault(
        `${target} is wanted by ${wantedBy}, and fails at every boot`,
        'only the agent may start it',
        `systemctl disable ${target}`,
      ),
    );
  if (workloads.length === 0)
    ofTarget.push(
      warning(
        'activation.workloads is empty: what ignores SIGTERM is found only by PartOf= or Requisite=',
        'name the units that follow the target',
      ),
    );
  return [...ofTarget, ...workloads.flatMap(({ name, unit }) => judgeOne(name, unit, target, assertFile))];
}

export const workloads = check(
  'workloads',
  async ({ config: { activation, rootDir }, unit }: AgentHost): Promise<WorkloadFacts> => ({
    target: activation.systemdTarget ?? null,
    assertFile: `${rootDir}${activation.assertFile}`,
    targetUnit: activation.systemdTarget === undefined ? null : await unit(activation.systemdTarget),
    workloads: await Promise.all(activation.workloads.map(async (name) => ({ name, unit: await unit(name) }))),
  }),
  judgeWorkloads,
);
