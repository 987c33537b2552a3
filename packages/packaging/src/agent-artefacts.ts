import type { AgentCode } from './agent-files.ts';
import { agentTarballFiles, agentTarballName } from './agent-tarball.ts';
import type { Artefact } from './artefact.ts';
import type { BuildInfo } from './build-info.ts';
import type { NodeRuntime } from './node-runtime.ts';
import { makeTarball } from './tarball.ts';

/** The agent's tarball for one architecture. */
export function agentTarball(build: BuildInfo, code: AgentCode, node: NodeRuntime): Artefact {
  const name = agentTarballName(build, node);
  return {
    file: `${name}.tar.gz`,
    labels: { format: 'tarball', part: 'agent', architecture: node.architecture },
    make: async ({ fast, out, stage }) => {
      const tree = await agentTarballFiles(build, code, node);
      const output = `${out}/${name}.tar.gz`;
      await makeTarball({ tree, name, stage: stage(name), output, dateS: build.sourceDateEpochS, fast });
    },
  };
}
