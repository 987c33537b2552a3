import { agentCode } from './agent-files.ts';
import { agentTarball } from './agent-artefacts.ts';
import { ARCHITECTURES, type Architecture } from './architecture.ts';
import type { Artefact } from './artefact.ts';
import type { BuildInfo } from './build-info.ts';
import { nodeRuntime } from './node-runtime.ts';
import type { PackageOptions } from './options.ts';

/** Everything that is wanted, in the order in which it is made. */
export async function allArtefacts(build: BuildInfo, { wanted }: PackageOptions): Promise<readonly Artefact[]> {
  const code = await agentCode(build.root);
  const all: Artefact[] = [];
  for (const architecture of Object.keys(ARCHITECTURES) as Architecture[]) {
    if (!wanted({ architecture })) continue;
    const node = await nodeRuntime(build.root, architecture);
    all.push(agentTarball(build, code, node));
  }
  return all.filter(({ labels }) => wanted(labels));
}
