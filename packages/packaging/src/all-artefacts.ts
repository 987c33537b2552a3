import { type AgentCode, agentCode } from './agent-files.ts';
import { type AgentTarball, agentTarball, artefactsOf } from './agent-artefacts.ts';
import { ARCHITECTURES, type Architecture } from './architecture.ts';
import type { Artefact, Workshop } from './artefact.ts';
import { type CoordinatorCode, coordinatorCode } from './coordinator-bundle.ts';
import { deb } from './deb.ts';
import { type NodeRuntime, nodeRuntime } from './node-runtime.ts';
import type { PackageOptions } from './options.ts';
import { rpm } from './rpm.ts';
import { agentPackage, coordinatorPackage } from './system-packages.ts';

/** What is built once and goes into several artefacts. */
interface Codes {
  readonly agent: AgentCode;
  readonly coordinator: CoordinatorCode;
}

/** Everything that is wanted, in the order in which it is made. */
export async function allArtefacts(workshop: Workshop, { wanted }: PackageOptions): Promise<readonly Artefact[]> {
  const { root } = workshop.build;
  const codes = { agent: await agentCode(root), coordinator: await coordinatorCode(root) };
  const nodes: NodeRuntime[] = [];
  // The package of artefacts holds the agents of all architectures.
  const every = wanted({ part: 'artefacts' });
  for (const architecture of Object.keys(ARCHITECTURES) as Architecture[]) {
    if (every || wanted({ architecture })) nodes.push(await nodeRuntime(root, architecture));
  }
  const tarballs = nodes.map((node) => agentTarball(workshop.build, codes.agent, node));
  const all = [
    ...tarballs.map(({ artefact }) => artefact),
    ...nodes.flatMap((node) => packagesFor(workshop, codes, node)),
    ...handedOut(workshop, tarballs),
  ];
  return all.filter(({ labels }) => wanted(labels));
}

function packagesFor({ build }: Workshop, codes: Codes, node: NodeRuntime): readonly Artefact[] {
  const { architecture } = node;
  const agent = async () => agentPackage(build, codes.agent, node);
  const coordinator = async () => coordinatorPackage(build, codes.coordinator, node);
  return [deb, rpm].flatMap((format) => [
    format(build, 'understudy-agent', { part: 'agent', architecture }, agent),
    format(build, 'understudy-coordinator', { part: 'coordinator', architecture }, coordinator),
  ]);
}

function handedOut(workshop: Workshop, tarballs: readonly AgentTarball[]): readonly Artefact[] {
  const contents = () => artefactsOf(workshop, tarballs);
  return [deb, rpm].map((format) => format(workshop.build, 'understudy-artefacts', { part: 'artefacts' }, contents));
}
