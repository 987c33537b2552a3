import { copyFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AgentCode } from './agent-files.ts';
import { agentTarballFiles, agentTarballName } from './agent-tarball.ts';
import type { Artefact, Workshop } from './artefact.ts';
import { sha256Of } from './make-artefacts.ts';
import type { ShippedProgram } from './shipped-program.ts';
import { artefactsPackage } from './system-packages.ts';
import type { SystemPackage } from './system-package.ts';
import { makeTarball } from './tarball.ts';

/** The agent's tarball for one architecture. */
export interface AgentTarball {
  /** Made once, however often it is asked for; its path, of a file that is not to be changed. */
  readonly made: (workshop: Workshop) => Promise<string>;
  readonly artefact: Artefact;
}

export function agentTarball(agent: ShippedProgram<AgentCode>): AgentTarball {
  const name = agentTarballName(agent);
  let once: Promise<string> | null = null;
  const make = async ({ fast, stage }: Workshop): Promise<string> => {
    const tree = await agentTarballFiles(agent);
    const output = stage(`${name}.tar.gz`);
    await makeTarball({ tree, name, stage: stage(name), output, dateS: agent.build.sourceDateEpochS, fast });
    return output;
  };
  const made = (workshop: Workshop) => (once ??= make(workshop));
  const labels = { format: 'tarball', part: 'agent', architecture: agent.node.architecture } as const;
  const copied = async (workshop: Workshop) => copyFile(await made(workshop), `${workshop.out}/${name}.tar.gz`);
  return { made, artefact: { file: `${name}.tar.gz`, labels, make: copied } };
}

/** The package that coordinators hand agents out of. */
export async function artefactsOf(workshop: Workshop, tarballs: readonly AgentTarball[]): Promise<SystemPackage> {
  const paths: string[] = [];
  for (const tarball of tarballs) paths.push(await tarball.made(workshop));
  const lines = await Promise.all(paths.map(async (path) => `${await sha256Of(path)}  ${basename(path)}\n`));
  return artefactsPackage(workshop.build, paths, lines.join(''));
}
