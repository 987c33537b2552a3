import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_NODE_FLAGS, agentBundle } from '../../../scripts/bundle-agent.mjs';
import { copiedFile, type FileTree, fileTree, program, textFile } from './file-tree.ts';
import { readIntegrities } from './lockfile.ts';
import type { ShippedProgram } from './shipped-program.ts';
import { type ShippedPackage, shippedPackages, thirdPartyLicences } from './shipped-packages.ts';

/** The agent's code, the same on every architecture, and whose code is in it. */
export interface AgentCode {
  readonly bundle: Uint8Array;
  /** The program beside it that fetches a key from AWS. */
  readonly fetchKey: Uint8Array;
  readonly packages: readonly ShippedPackage[];
}

export async function agentCode(root: string): Promise<AgentCode> {
  const { contents, fetchKey, inputs } = await agentBundle();
  return { bundle: contents, fetchKey, packages: shippedPackages(root, inputs, readIntegrities(root)) };
}

/** The first line names a Node on the PATH; here the wrapper does, and there need be no other. */
const withoutInterpreter = (bundle: Uint8Array): string => new TextDecoder().decode(bundle).replace(/^#!.*\n/, '');

/** `/usr/lib/understudy/agent`: one bundle, the Node that runs it, and a wrapper with its flags. */
export function agentFiles({ build, code, node, bill }: ShippedProgram<AgentCode>): FileTree {
  const { root } = build;
  const { bundle, fetchKey, packages } = code;
  const wrapper = readFileSync(join(root, 'deploy/agent/understudy-agent.sh'), 'utf8');
  return fileTree([
    ['bin/node', program({ copyOf: node.binary })],
    ['bin/understudy-agent', program({ text: wrapper.replace('@NODE_FLAGS@', AGENT_NODE_FLAGS.join(' ')) })],
    ['understudy-agent.cjs', textFile(withoutInterpreter(bundle))],
    ['understudy-fetch-key.cjs', textFile(fetchKey)],
    ['LICENSE', copiedFile(join(root, 'LICENSE'))],
    ['LICENSE.node', copiedFile(node.licence)],
    ['THIRD-PARTY-LICENSES', textFile(thirdPartyLicences(packages))],
    ['sbom.cdx.json', textFile(bill)],
  ]);
}
