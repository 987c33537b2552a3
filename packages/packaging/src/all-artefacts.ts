import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentCode, agentCode } from './agent-files.ts';
import { type AgentTarball, agentTarball, artefactsOf } from './agent-artefacts.ts';
import { ARCHITECTURES, type Architecture } from './architecture.ts';
import type { Artefact, Workshop } from './artefact.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { type CoordinatorCode, coordinatorCode } from './coordinator-bundle.ts';
import { coordinatorTarball } from './coordinator-tarball.ts';
import { deb } from './deb.ts';
import { nodeRuntime } from './node-runtime.ts';
import type { PackageOptions } from './options.ts';
import { rpm } from './rpm.ts';
import type { ShippedProgram } from './shipped-program.ts';
import { watchmanArtefact } from './watchman-bundle.ts';
import { agentPackage, coordinatorPackage } from './system-packages.ts';

/** What runs on machines of one architecture. */
interface Programs {
  readonly agent: ShippedProgram<AgentCode>;
  readonly coordinator: ShippedProgram<CoordinatorCode>;
}

/** Everything that is wanted, in the order in which it is made. */
export async function allArtefacts(workshop: Workshop, { wanted }: PackageOptions): Promise<readonly Artefact[]> {
  const everyPrograms = await programs(workshop, wanted);
  const tarballs = everyPrograms.map(({ agent }) => agentTarball(agent));
  const all = [
    ...tarballs.map(({ artefact }) => artefact),
    ...everyPrograms.flatMap((one) => artefactsFor(one)),
    ...handedOut(workshop, tarballs),
    watchmanArtefact(workshop.build),
  ];
  return all.filter(({ labels }) => wanted(labels));
}

/** The code is bundled once and is the same for all architectures. */
async function programs({ build }: Workshop, wanted: PackageOptions['wanted']): Promise<readonly Programs[]> {
  const codes = { agent: await agentCode(build.root), coordinator: await coordinatorCode(build.root) };
  // The package of artefacts holds the agents of all architectures.
  const every = wanted({ part: 'artefacts', format: 'deb' }) || wanted({ part: 'artefacts', format: 'rpm' });
  const architectures = (Object.keys(ARCHITECTURES) as Architecture[]).filter(
    (architecture) => every || wanted({ architecture }),
  );
  const all: Programs[] = [];
  for (const architecture of architectures) {
    const node = await nodeRuntime(build.root, architecture);
    const billOf = (part: string, { packages }: AgentCode | CoordinatorCode) =>
      billOfMaterials(build, { part, node, packages });
    all.push({
      agent: { build, node, code: codes.agent, bill: await billOf('understudy-agent', codes.agent) },
      coordinator: {
        ...{ build, node, code: codes.coordinator },
        bill: await billOf('understudy-coordinator', codes.coordinator),
      },
    });
  }
  return all;
}

function artefactsFor({ agent, coordinator }: Programs): readonly Artefact[] {
  const { build, node } = agent;
  const { architecture } = node;
  const systemPackages = [deb, rpm].flatMap((format) => [
    format(build, 'understudy-agent', { part: 'agent', architecture }, async () => agentPackage(agent)),
    format(build, 'understudy-coordinator', { part: 'coordinator', architecture }, async () =>
      coordinatorPackage(coordinator),
    ),
  ]);
  return [
    coordinatorTarball(coordinator),
    ...systemPackages,
    billArtefact('agent', agent),
    billArtefact('coordinator', coordinator),
  ];
}

/** The same text lies in the program's folder, where scanners of machines look. */
function billArtefact(part: 'agent' | 'coordinator', { build, node, bill }: ShippedProgram<unknown>): Artefact {
  const { architecture } = node;
  const file = `understudy-${part}-${build.version}-linux-${architecture}.cdx.json`;
  return { file, labels: { format: 'sbom', part, architecture }, make: ({ out }) => writeFile(join(out, file), bill) };
}

function handedOut(workshop: Workshop, tarballs: readonly AgentTarball[]): readonly Artefact[] {
  const contents = () => artefactsOf(workshop, tarballs);
  return [deb, rpm].map((format) => format(workshop.build, 'understudy-artefacts', { part: 'artefacts' }, contents));
}
