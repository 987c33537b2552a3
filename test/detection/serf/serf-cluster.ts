import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { runInside, runProgram } from '../../faults/lab/network.ts';

const SUBNET = '10.66.0';
/** All that a node sends passes it: probes, gossip, and memberlist's way round by TCP. */
const LOSS_TABLE = 'table ip loss { chain out { type filter hook output priority 0; }; }';

/** What one node said of another. */
export interface Failed {
  readonly atMs: number;
  readonly by: string;
  readonly node: string;
}

const addressOf = (index: number): string => `${SUBNET}.${index + 1}`;
const nameOf = (index: number): string => `n${index + 1}`;

/**
 * Serf's agents as they come (profile `lan`), one a network namespace, behind one bridge. It is
 * built and ended within a private world.
 */
export class SerfCluster {
  readonly failures: Failed[] = [];
  readonly size: number;
  readonly #agents = new Map<number, ChildProcess>();

  constructor(size: number) {
    this.size = size;
    const ip = (line: string) => runProgram('ip', line.split(' '));
    ip('link set lo up');
    ip('link add nodes type bridge');
    ip('link set nodes up');
    for (let index = 0; index < size; index++) {
      const name = nameOf(index);
      ip(`netns add ${name}`);
      ip(`link add ${name} type veth peer name eth0 netns ${name}`);
      ip(`link set ${name} master nodes up`);
      ip(`-n ${name} link set lo up`);
      ip(`-n ${name} addr add ${addressOf(index)}/24 dev eth0`);
      ip(`-n ${name} link set eth0 up`);
      runInside(name, 'nft', [LOSS_TABLE]);
    }
  }

  start(index: number): void {
    const name = nameOf(index);
    const serf = ['serf', 'agent', `-node=${name}`, `-bind=${addressOf(index)}`, '-profile=lan', '-log-level=info'];
    const others = [0, 1].filter((one) => one !== index).map((one) => `-retry-join=${addressOf(one)}`);
    const child = spawn('ip', ['netns', 'exec', name, ...serf, ...others], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#agents.set(index, child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, node] = /EventMemberFailed: (\S+)/.exec(line) ?? [];
      if (node !== undefined) this.failures.push({ atMs: performance.now(), by: name, node });
    });
  }

  /** How many members a node sees alive. */
  alive(index: number): number {
    const list = runInside(nameOf(index), 'serf', ['members', '-status=alive']);
    return list.split('\n').filter((line) => line.includes('alive')).length;
  }

  /** All that the node sends is lost at this ratio. */
  setLoss(index: number, ratio: number): void {
    const mille = Math.round(ratio * 1_000);
    const rule = mille === 0 ? '' : `add rule ip loss out numgen random mod 1000 < ${mille} drop\n`;
    runInside(nameOf(index), 'nft', ['-f', '-'], `flush chain ip loss out\n${rule}`);
  }

  /** As a power cut. */
  kill(index: number): void {
    this.#agents.get(index)?.kill('SIGKILL');
    this.#agents.delete(index);
  }

  readonly nameOf = nameOf;
}
