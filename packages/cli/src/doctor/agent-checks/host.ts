import { existsSync, readFileSync, statSync } from 'node:fs';
import { check } from '../check.ts';
import type { AgentHost } from '../agent-host.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';
import { metadata } from './metadata.ts';

export interface HostFacts {
  /** Files that hold a key or name one, with their modes. */
  readonly files: readonly { readonly path: string; readonly mode: number | null }[];
  /** The instance by IMDSv2. Null: it does not answer. */
  readonly instanceId: string | null;
  /** Null: none is configured. */
  readonly watchdog: { readonly device: string; readonly isThere: boolean; readonly timeoutS: number | null } | null;
  readonly watchdogLimitMs: number;
}

const OTHERS = 0o077;

function judgeFile({ path, mode }: HostFacts['files'][number]): Finding {
  if (mode === null) return fault(`${path} cannot be read`, 'write it (docs/agent.md, "Where its key lies")');
  if ((mode & OTHERS) === 0) return ok(`${path} is the agent's alone`);
  return fault(`${path} has mode ${mode.toString(8)}: others can read it`, 'take that away', `chmod 600 ${path}`);
}

/** Whether key, identity and watchdog are as the configuration wants. Pure. */
export function judgeHost({ files, instanceId, watchdog, watchdogLimitMs }: HostFacts): readonly Finding[] {
  const identity =
    instanceId === null
      ? fault(
          'the metadata service does not answer: the agent cannot tell which instance it is',
          'enable IMDSv2 for the instance, hop limit 1 or more',
          'curl -sX PUT http://169.254.169.254/latest/api/token -H "x-aws-ec2-metadata-token-ttl-seconds: 60"',
        )
      : ok(`the metadata service says ${instanceId}`);
  const found = [...files.map(judgeFile), identity];
  if (watchdog === null) return found;
  const load = `modprobe softdog soft_margin=${Math.floor(watchdogLimitMs / 1_000)}`;
  if (!watchdog.isThere)
    return [...found, fault(`there is no ${watchdog.device}: no serve lease counts`, 'load a watchdog driver', load)];
  if (watchdog.timeoutS !== null && watchdog.timeoutS * 1_000 > watchdogLimitMs)
    return [
      ...found,
      fault(
        `the watchdog resets after ${watchdog.timeoutS} s, serve.watchdog.timeoutMs is ${watchdogLimitMs}`,
        'give it a shorter time, or raise that',
        load,
      ),
    ];
  const unknown = warning('how long the watchdog waits is not known here', 'see /sys/class/watchdog');
  return [
    ...found,
    watchdog.timeoutS === null ? unknown : ok(`${watchdog.device} resets after ${watchdog.timeoutS} s`),
  ];
}

function modeOf(path: string): number | null {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return null;
  }
}

function timeoutOf(device: string, rootDir: string): number | null {
  const base = device.slice(device.lastIndexOf('/') + 1);
  try {
    const path = `${rootDir}/sys/class/watchdog/${base === 'watchdog' ? 'watchdog0' : base}/timeout`;
    const seconds = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return seconds > 0 ? seconds : null;
  } catch {
    return null;
  }
}

export const host = check(
  'host',
  async ({ config, configPath, environment }: AgentHost): Promise<HostFacts> => {
    const { key, serve, rootDir } = config;
    const keyFile = key.file === undefined ? [] : [`${rootDir}${key.file}`];
    const files = [...(key.hex === undefined ? [] : [configPath]), ...keyFile];
    const device = serve.watchdog?.device;
    return {
      files: files.map((path) => ({ path, mode: modeOf(path) })),
      instanceId: (await metadata(environment, ['meta-data/instance-id']))[0] ?? null,
      watchdog:
        device === undefined
          ? null
          : { device, isThere: existsSync(`${rootDir}${device}`), timeoutS: timeoutOf(device, rootDir) },
      watchdogLimitMs: serve.watchdog?.timeoutMs ?? 0,
    };
  },
  judgeHost,
);
