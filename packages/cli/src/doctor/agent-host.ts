import { execFile } from 'node:child_process';
import type { AgentConfig } from '@understudy/agent';
import type { Clock } from '@understudy/shared';

/** What `systemctl show` says of one unit, by property. */
export type UnitProperties = Readonly<Record<string, string>>;

/** The host that the checks of an agent look at. */
export interface AgentHost {
  readonly configPath: string;
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  /** @throws what systemctl says, where systemd cannot be asked. */
  readonly unit: (name: string) => Promise<UnitProperties>;
}

const ASK_MS = 5_000;
const PROPERTIES =
  'LoadState,ActiveState,UnitFileState,Requisite,PartOf,After,WantedBy,BindsTo,Requires,RequiredBy,StatusText,NRestarts,FragmentPath,DropInPaths,MainPID,WatchdogUSec,ProtectHome,PrivateTmp,Type,KillMode';

/** Reads `NAME=value` lines. A name that comes again adds a line. Pure. */
export function propertiesIn(text: string): UnitProperties {
  const all: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at < 1) continue;
    const name = line.slice(0, at);
    const value = line.slice(at + 1);
    all[name] = all[name] === undefined ? value : `${all[name]}\n${value}`;
  }
  return all;
}

const systemctl = (args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile('systemctl', [...args], { timeout: ASK_MS, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message));
      else resolve(stdout);
    });
  });

/**
 * systemd, asked for a unit's properties, and for its text with all drop-ins as `Text`: its
 * assertions are not shown as a property (systemd 252 says "unprintable").
 */
export async function askSystemd(name: string): Promise<UnitProperties> {
  const [shown, text] = await Promise.all([
    systemctl(['show', '--property', PROPERTIES, '--', name]),
    systemctl(['cat', '--', name]).catch(() => ''),
  ]);
  return { ...propertiesIn(shown), Text: text };
}
