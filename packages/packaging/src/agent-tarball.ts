import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type AgentCode, agentFiles } from './agent-files.ts';
import { below, bytesOf, copiedFile, type FileTree, fileTree, program, textFile } from './file-tree.ts';
import type { ShippedProgram } from './shipped-program.ts';

/** As user data asks for it, and as the coordinators serve it. */
export const agentTarballName = ({ build, node }: ShippedProgram<AgentCode>): string =>
  `understudy-agent-${build.version}-linux-${node.architecture}`;

/** What install.sh reads to know what it is about to install. */
const releaseText = ({ build, node }: ShippedProgram<AgentCode>): string =>
  `VERSION=${build.version}\nARCHITECTURE=${node.architecture}\nNODE_VERSION=${node.version}\nCOMMIT=${build.commit}\n`;

/**
 * The agent, its units, its skeleton and what installs them; with a list of sums over all of it.
 */
export async function agentTarballFiles(agent: ShippedProgram<AgentCode>): Promise<FileTree> {
  const deploy = join(agent.build.root, 'deploy');
  const files = fileTree(below('agent', agentFiles(agent)), [
    ['config/agent.yaml', copiedFile(join(deploy, 'config/agent.yaml'))],
    ['install.sh', program({ copyOf: join(deploy, 'agent/install.sh') })],
    ['release', textFile(releaseText(agent))],
    ['units/understudy-active.target', copiedFile(join(deploy, 'systemd/understudy-active.target'))],
    ['units/understudy-agent.service', copiedFile(join(deploy, 'systemd/understudy-agent.service'))],
  ]);
  return fileTree([...files], [['SHA256SUMS', textFile(await sumsOf(files))]]);
}

/** In the form of sha256sum(1), so that it can be checked with nothing but that. */
async function sumsOf(files: FileTree): Promise<string> {
  const lines = await Promise.all(
    [...files].map(async ([path, { content }]) => {
      const bytes = await bytesOf(content);
      return `${createHash('sha256').update(bytes).digest('hex')}  ${path}\n`;
    }),
  );
  return lines.join('');
}
