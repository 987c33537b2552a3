import { check } from '../check.ts';
import type { AgentHost, UnitProperties } from '../agent-host.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';

const AGENT = 'understudy-agent.service';
const JOURNAL = `journalctl --unit ${AGENT} --lines 50`;

export interface ServiceFacts {
  readonly unit: UnitProperties;
  /** Paths that the configuration wants read or written. */
  readonly paths: readonly string[];
}

/** What the agent itself says of its coordinators, in its status. */
function judgeStatus(text: string): readonly Finding[] {
  const [, acking, known] = /(\d+) of (\d+) coordinators answer/.exec(text) ?? [];
  if (acking === undefined || known === undefined)
    return [
      warning(
        `the agent says: ${text || 'nothing yet'}`,
        'look again in a few seconds, then into its journal',
        JOURNAL,
      ),
    ];
  if (acking === known) return [ok(`the agent says: ${text}`)];
  const remedy =
    'let UDP from here reach the coordinators (security groups, routes), and look whether they hold its key';
  return [
    acking === '0'
      ? fault(`no coordinator answers the agent: ${text}`, remedy, JOURNAL)
      : warning(`the agent says: ${text}`, remedy, JOURNAL),
  ];
}

/**
 * Whether the agent runs as its unit wants, is heard, and may reach what its configuration names.
 * Pure.
 */
export function judgeService({ unit, paths }: ServiceFacts): readonly Finding[] {
  if (unit['LoadState'] === 'not-found')
    return [
      fault(
        'the agent is not installed as a service',
        'install the package, or run install.sh of the tarball',
        `systemctl cat ${AGENT}`,
      ),
    ];
  const found: Finding[] = [];
  if (unit['UnitFileState'] !== 'enabled')
    found.push(fault('the agent does not start at boot', 'enable it', `systemctl enable ${AGENT}`));
  if (unit['ActiveState'] !== 'active')
    return [
      ...found,
      fault(`the agent does not run (${unit['ActiveState'] ?? 'unknown'})`, 'look into its journal', JOURNAL),
    ];
  if (unit['Type'] !== 'notify' || (unit['WatchdogUSec'] ?? '0') === '0')
    found.push(
      warning(
        'systemd does not watch the agent (Type=notify, WatchdogSec=)',
        'take the unit of the package',
        `systemctl cat ${AGENT}`,
      ),
    );
  const homes = paths.filter((path) => /^\/(?:home|root|run\/user)(?:\/|$)/.test(path));
  if (unit['ProtectHome'] === 'yes' && homes.length > 0)
    found.push(
      fault(
        `the agent's sandbox hides ${homes.join(', ')}`,
        'ProtectHome=no in a drop-in (docs/agent.md)',
        `systemctl edit ${AGENT}`,
      ),
    );
  const temporary = paths.filter((path) => /^\/(?:var\/)?tmp(?:\/|$)/.test(path));
  if (unit['PrivateTmp'] === 'yes' && temporary.length > 0)
    found.push(
      fault(
        `the agent has a /tmp of its own, not ${temporary.join(', ')}`,
        'PrivateTmp=no in a drop-in (docs/agent.md)',
        `systemctl edit ${AGENT}`,
      ),
    );
  const restarts = Number(unit['NRestarts'] ?? 0);
  if (restarts > 0)
    found.push(warning(`systemd has started the agent again ${restarts} times`, 'look into its journal', JOURNAL));
  return [...found, ...judgeStatus(unit['StatusText'] ?? '')];
}

export const service = check(
  'service',
  async ({ config, unit }: AgentHost): Promise<ServiceFacts> => {
    const { storage } = config.checks;
    return {
      unit: await unit(AGENT),
      paths: [config.stateDir, ...storage.mounts.map(({ path }) => path), ...(storage.probeFiles ?? [])],
    };
  },
  judgeService,
);
