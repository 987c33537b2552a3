import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentCode, agentFiles } from './agent-files.ts';
import type { BuildInfo } from './build-info.ts';
import type { CoordinatorCode } from './coordinator-bundle.ts';
import { coordinatorFiles } from './coordinator-files.ts';
import { below, configFile, copiedFile, fileTree, link } from './file-tree.ts';
import type { ShippedProgram } from './shipped-program.ts';
import { documentation, manPage } from './shared-files.ts';
import type { SystemPackage } from './system-package.ts';

const UNITS = 'usr/lib/systemd/system';
/** What Node 24 is linked against; written by hand, because nothing of ours is built here. */
const NODE_NEEDS = {
  deb: ['libc6 (>= 2.28)', 'libgcc-s1', 'libstdc++6 (>= 8)', 'systemd (>= 240)'],
  rpm: ['glibc >= 2.28', 'libstdc++ >= 8', 'systemd >= 239'],
};

const functionsOf = (root: string, name: string): string =>
  readFileSync(join(root, 'deploy/maintainer', `${name}.sh`), 'utf8');

export function agentPackage(agent: ShippedProgram<AgentCode>): SystemPackage {
  const { build, node } = agent;
  const name = 'understudy-agent';
  const deploy = join(build.root, 'deploy');
  return {
    name,
    architecture: node.architecture,
    summary: 'light process on each watched instance of Understudy',
    description:
      'Tells the coordinators that this EC2 instance, its disks and its network are well, and lets the workload serve only while the coordinators say that this instance is the activated one. Brings its own Node.js.',
    depends: NODE_NEEDS,
    tree: fileTree(
      below('usr/lib/understudy/agent', agentFiles(agent)),
      ['understudy-agent.service', 'understudy-active.target'].map((unit) => [
        `${UNITS}/${unit}`,
        copiedFile(join(deploy, 'systemd', unit)),
      ]),
      [
        ['etc/understudy/agent.yaml', configFile(join(deploy, 'config/agent.yaml'), 0o600)],
        ['usr/sbin/understudy-agent', link('../lib/understudy/agent/bin/understudy-agent')],
        manPage(build, 'understudy-agent.8'),
      ],
      documentation(build, name, ['agent.md']),
    ),
    functions: functionsOf(build.root, 'agent'),
  };
}

export function coordinatorPackage(coordinator: ShippedProgram<CoordinatorCode>): SystemPackage {
  const { build, node } = coordinator;
  const name = 'understudy-coordinator';
  const deploy = join(build.root, 'deploy');
  const bin = '../lib/understudy/coordinator/bin';
  return {
    name,
    architecture: node.architecture,
    summary: 'observes, judges and replaces failed EC2 instances, exactly once',
    description:
      'One of the equal coordinators of Understudy, which hear every agent, agree through etcd, and replace a failed stateful EC2 instance with its data, its address and its name; and the understudy command for operators. Brings its own Node.js.',
    depends: NODE_NEEDS,
    tree: fileTree(
      below('usr/lib/understudy/coordinator', coordinatorFiles(coordinator)),
      [
        [`${UNITS}/understudy-coordinator.service`, copiedFile(join(deploy, 'systemd/understudy-coordinator.service'))],
        ['etc/understudy/coordinator.yaml', configFile(join(deploy, 'config/coordinator.yaml'), 0o640)],
        ['usr/lib/sysctl.d/50-understudy-coordinator.conf', copiedFile(join(deploy, 'coordinator/sysctl.conf'))],
        ['usr/lib/sysusers.d/understudy-coordinator.conf', copiedFile(join(deploy, 'coordinator/sysusers.conf'))],
        ['usr/bin/understudy', link(`${bin}/understudy`)],
        ['usr/sbin/understudy-coordinator', link(`${bin}/understudy-coordinator`)],
        manPage(build, 'understudy-coordinator.8'),
        manPage(build, 'understudy.1'),
      ],
      documentation(build, name, ['coordinator.md']),
    ),
    functions: functionsOf(build.root, 'coordinator'),
  };
}

/**
 * The agents' tarballs and their sums, for coordinators to hand out. `tarballs`: paths of files.
 */
export function artefactsPackage(build: BuildInfo, tarballs: readonly string[], sums: string): SystemPackage {
  const name = 'understudy-artefacts';
  const folder = 'usr/lib/understudy/artefacts';
  return {
    name,
    architecture: 'all',
    summary: 'agents of Understudy for coordinators to hand out',
    description:
      'The tarballs of the agent for x64 and arm64, and their SHA-256 sums, which a coordinator with http.artefactsDir set serves to new instances.',
    depends: { deb: [], rpm: [] },
    tree: fileTree(
      tarballs.map((path) => [`${folder}/${path.slice(path.lastIndexOf('/') + 1)}`, copiedFile(path)]),
      [[`${folder}/SHA256SUMS`, { content: { text: sums }, mode: 0o644 }]],
      documentation(build, name, []),
    ),
    functions: null,
    compressed: true,
  };
}
