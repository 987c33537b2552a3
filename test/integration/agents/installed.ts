import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';

const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));

/** The program as the packages lay it out, in a folder of its own. */
export async function layOutProgram(folder: string): Promise<string> {
  const program = join(folder, 'program');
  mkdirSync(join(program, 'bin'), { recursive: true });
  copyFileSync(await bundleAgent(), join(program, 'understudy-agent.cjs'));
  execFileSync('cp', ['--reflink=auto', process.execPath, join(program, 'bin/node')]);
  const wrapper = readFileSync(join(DEPLOY, 'agent/understudy-agent.sh'), 'utf8');
  writeFileSync(join(program, 'bin/understudy-agent'), wrapper.replace('@NODE_FLAGS@', AGENT_NODE_FLAGS.join(' ')));
  chmodSync(join(program, 'bin/understudy-agent'), 0o755);
  return program;
}

/** A unit as it is shipped. The man page it names is another part of the package. */
export const shippedUnit = (name: string): string =>
  readFileSync(join(DEPLOY, 'systemd', name), 'utf8').replace(/^Documentation=.*\n/m, '');
