import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { CoordinatorCode } from './coordinator-bundle.ts';
import { below, copiedFile, type FileTree, fileTree, program, textFile } from './file-tree.ts';
import type { ShippedProgram } from './shipped-program.ts';
import { thirdPartyLicences } from './shipped-packages.ts';

/** All files below a folder, by their paths below it. */
function filesIn(folder: string): FileTree {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return fileTree(paths.map((path) => [relative(folder, path), copiedFile(path)]));
}

/** etcd3 reads its descriptions of the protocol at every start. */
const protocolFiles = (root: string): FileTree => filesIn(join(root, 'packages/coordinator/node_modules/etcd3/proto'));

/**
 * `/usr/lib/understudy/coordinator`: the command and the coordinator, and the Node that runs them.
 */
export function coordinatorFiles({ build, code, node, bill }: ShippedProgram<CoordinatorCode>): FileTree {
  const { root, version } = build;
  const { modules, packages } = code;
  const deploy = join(root, 'deploy/coordinator');
  const manifest = { name: 'understudy', version, license: 'Apache-2.0', type: 'module', private: true };
  return fileTree(
    [
      ['bin/node', program({ copyOf: node.binary })],
      ['bin/understudy', program({ copyOf: join(deploy, 'understudy.sh') })],
      ['bin/understudy-coordinator', program({ copyOf: join(deploy, 'understudy-coordinator.sh') })],
      ['package.json', textFile(`${JSON.stringify(manifest)}\n`)],
      ['LICENSE', copiedFile(join(root, 'LICENSE'))],
      ['LICENSE.node', copiedFile(node.licence)],
      ['THIRD-PARTY-LICENSES', textFile(thirdPartyLicences(packages))],
      ['sbom.cdx.json', textFile(bill)],
    ],
    [...modules].map(([path, contents]) => [`lib/${path}`, textFile(contents)]),
    below('proto', protocolFiles(root)),
    below('dashboard', filesIn(code.site)),
  );
}
