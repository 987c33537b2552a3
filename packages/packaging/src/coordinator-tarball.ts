import { join } from 'node:path';
import type { Artefact } from './artefact.ts';
import type { CoordinatorCode } from './coordinator-bundle.ts';
import { coordinatorFiles } from './coordinator-files.ts';
import { below, copiedFile, type FileTree, fileTree } from './file-tree.ts';
import type { ShippedProgram } from './shipped-program.ts';
import { makeTarball } from './tarball.ts';

/** For systems without dpkg and rpm: the program, and beside it what goes elsewhere, by hand. */
function coordinatorTarballFiles(coordinator: ShippedProgram<CoordinatorCode>): FileTree {
  const deploy = join(coordinator.build.root, 'deploy');
  return fileTree(below('coordinator', coordinatorFiles(coordinator)), [
    ['config/coordinator.yaml', copiedFile(join(deploy, 'config/coordinator.yaml'))],
    ['sysctl.d/50-understudy-coordinator.conf', copiedFile(join(deploy, 'coordinator/sysctl.conf'))],
    ['sysusers.d/understudy-coordinator.conf', copiedFile(join(deploy, 'coordinator/sysusers.conf'))],
    ['units/understudy-coordinator.service', copiedFile(join(deploy, 'systemd/understudy-coordinator.service'))],
  ]);
}

export function coordinatorTarball(coordinator: ShippedProgram<CoordinatorCode>): Artefact {
  const { build, node } = coordinator;
  const name = `understudy-coordinator-${build.version}-linux-${node.architecture}`;
  return {
    file: `${name}.tar.gz`,
    labels: { format: 'tarball', part: 'coordinator', architecture: node.architecture },
    make: async ({ fast, out, stage }) => {
      const tree = coordinatorTarballFiles(coordinator);
      const output = `${out}/${name}.tar.gz`;
      await makeTarball({ tree, name, stage: stage(name), output, dateS: build.sourceDateEpochS, fast });
    },
  };
}
