import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { cloudInit } from '../core/cloud-init.ts';
import { decodeUserData } from '../http/imds-content.ts';
import { copyTree } from './copy-tree.ts';
import { Machine } from './machine.ts';
import type { MachineBoot, MachineDriver } from './machine-driver.ts';

/** Sets `rootDir` and nothing else. Text that is no YAML mapping stays as it is. */
export function withRootDir(text: string, rootDir: string): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return text;
  document.set('rootDir', rootDir);
  return document.toString();
}

/**
 * The agent's configuration as cloud-init would write it. User data without such a file is the
 * configuration itself.
 */
const agentConfigOf = (userData: string): string =>
  cloudInit(userData).files.find((file) => file.path === '/etc/understudy/agent.yaml')?.content ??
  decodeUserData(userData);

function replaceLink(target: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

/**
 * A root that was moved or copied still links to the disks of its former machine. They are not
 * this one's.
 */
function dropLinks(rootDir: string): void {
  for (const folder of ['mnt', 'dev']) {
    for (const entry of readdirSync(join(rootDir, folder), { withFileTypes: true })) {
      const path = join(rootDir, folder, entry.name);
      if (entry.isSymbolicLink() && basename(readlinkSync(path)).startsWith('vol-')) rmSync(path);
    }
  }
}

/**
 * Mounts the volumes and writes the user data as the agent's configuration. Null without a root
 * volume or user data.
 */
function prepare({ instance, rootDir, dataDisks }: MachineBoot): string | null {
  if (rootDir === '' || !existsSync(rootDir)) return null;
  for (const folder of ['mnt', 'dev', 'etc/understudy']) mkdirSync(join(rootDir, folder), { recursive: true });
  dropLinks(rootDir);
  for (const { device, dir } of dataDisks) {
    const name = basename(device);
    replaceLink(dir, join(rootDir, 'mnt', name));
    replaceLink(dir, join(rootDir, 'dev', name));
  }
  if (instance.userData === null) return null;
  const configFile = join(rootDir, 'etc', 'understudy', 'agent.yaml');
  writeFileSync(configFile, withRootDir(agentConfigOf(instance.userData), rootDir));
  return configFile;
}

export interface ProcessDriverOptions {
  /** Empty: instances run without a process. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An instance is one process, the agent's; its disks are folders below the agent's `rootDir`. */
export class ProcessDriver implements MachineDriver {
  readonly #options: ProcessDriverOptions;

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
  }

  boot(boot: MachineBoot): Machine | null {
    const { command, env } = this.#options;
    const configFile = prepare(boot);
    if (configFile === null || command.length === 0) return null;
    return new Machine({
      command: [...command, '--config', configFile],
      logFile: join(boot.machineDir, 'agent.log'),
      env: {
        ...env,
        // What a hypervisor knows about the machine it starts, for commands that build it a network
        // of its own.
        CLOUD_SIM_INSTANCE_ID: boot.instance.id,
        CLOUD_SIM_ZONE: boot.instance.az,
        CLOUD_SIM_PRIVATE_IP: boot.privateIp,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: boot.imdsUrl,
      },
    });
  }

  copyDisk(from: string, to: string): void {
    copyTree(from, to);
  }

  reboot(machine: Machine): void {
    machine.signal('SIGKILL');
  }

  /** The agent is not the machine: that goes on without it. */
  endedByItself(): 'nothing' {
    return 'nothing';
  }
}
