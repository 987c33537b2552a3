import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentCode } from './agent-files.ts';
import { agentTarballFiles } from './agent-tarball.ts';
import type { BuildInfo } from './build-info.ts';
import type { NodeRuntime } from './node-runtime.ts';
import { writeTree } from './write-tree.ts';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

export const buildOf = (version: string): BuildInfo => ({
  root: ROOT,
  version,
  sourceDateEpochS: 1_700_000_000,
  commit: 'c'.repeat(40),
});

/** A folder of the test's own; the global set-up removes it. */
export const ownFolder = (): string => mkdtempSync(join(tmpdir(), 'understudy-packaging-'));

/** A Node that only says its version: what installs it does not care. */
export function smallNode(folder: string, architecture: 'x64' | 'arm64'): NodeRuntime {
  mkdirSync(folder, { recursive: true });
  const binary = join(folder, 'node');
  writeFileSync(binary, '#!/bin/sh\necho v24.0.0\n');
  chmodSync(binary, 0o755);
  writeFileSync(join(folder, 'LICENSE'), 'MIT\n');
  return {
    architecture,
    version: '24.0.0',
    integrity: `sha512-${Buffer.alloc(64, 7).toString('base64')}`,
    binary,
    licence: join(folder, 'LICENSE'),
  };
}

const CODE: AgentCode = { bundle: new TextEncoder().encode('"agent";\n'), fetchKey: new Uint8Array(), packages: [] };

/** An unpacked agent tarball of that version, for this machine. */
export async function unpackedAgent(version: string): Promise<string> {
  const folder = ownFolder();
  const node = smallNode(join(folder, 'node'), process.arch === 'arm64' ? 'arm64' : 'x64');
  const build = buildOf(version);
  await writeTree(
    join(folder, 'agent'),
    await agentTarballFiles({ build, code: CODE, node, bill: '{}\n' }),
    build.sourceDateEpochS,
  );
  return join(folder, 'agent');
}
