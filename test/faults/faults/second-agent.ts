import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MemberId } from '@understudy/shared';
import { parseDocument } from 'yaml';
import type { Lab } from '../lab/lab.ts';
import { present } from '../strike.ts';

/** An agent that a person starts by hand on the host of a member, beside the service. */
export interface SecondAgent {
  readonly child: ChildProcess;
  /** Process id of the service's agent on that host. */
  readonly servicePid: number;
  readonly said: { out: string; errors: string };
  readonly exited: Promise<number | null>;
}

/**
 * How its configuration differs from the service's. Without any difference it is used as it stands.
 */
export interface ByHand {
  readonly stateDir?: string;
  /**
   * A root folder of its own, as a container has one, so that nothing is shared with the service.
   */
  readonly rootDir?: string;
}

function configurationOf(serviceRoot: string, { stateDir, rootDir }: ByHand): string {
  const service = join(serviceRoot, 'etc', 'understudy', 'agent.yaml');
  if (stateDir === undefined && rootDir === undefined) return service;
  const document = parseDocument(readFileSync(service, 'utf8'));
  if (stateDir !== undefined) document.set('stateDir', stateDir);
  if (rootDir !== undefined) document.set('rootDir', rootDir);
  const folder = rootDir ?? join(serviceRoot, 'tmp');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'by-hand.yaml');
  writeFileSync(path, document.toString());
  return path;
}

/**
 * Starts it on the member's instance, in the namespaces of the service's agent. It is killed with
 * the scenario.
 */
export function startSecondAgent(lab: Lab, member: MemberId, byHand: ByHand = {}): SecondAgent {
  const { instanceId } = lab.incumbent(member);
  const { pid, rootDir } = lab.machine(instanceId);
  const host = ['--target', String(pid), '--mount', '--net', ...lab.agentCommand];
  const child = spawn('nsenter', [...host, '--config', configurationOf(rootDir, byHand)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  lab.undoLater(() => void child.kill('SIGKILL'));
  const said = { out: '', errors: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.errors += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, servicePid: present(pid), said, exited };
}

/** True when both processes run and the kernel has them in one network namespace. */
export function runTogether({ child, servicePid }: SecondAgent): boolean {
  const networkOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/net`);
  return networkOf(present(child.pid)) === networkOf(servicePid);
}
