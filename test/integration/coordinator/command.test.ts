import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { COORDINATOR_EXIT } from '@understudy/coordinator/main';
import { understudyCommand } from '@understudy/local-cluster';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../unit/tidy/source.ts';

const NO_FILE = join(ROOT, 'no-such-folder', 'coordinator.yaml');

function run([command = '', ...args]: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
  return { status, said: `${stdout}${stderr}` };
}

/**
 * Local clusters start coordinators by their own main file; operators type `understudy
 * coordinator`.
 */
describe('understudy coordinator', () => {
  it('runs the coordinator: it says what is wrong with its configuration, with its own exit code', () => {
    const { status, said } = run(understudyCommand('coordinator', '--config', NO_FILE));
    expect(said).toContain('CONFIG_INVALID');
    expect(said).toContain(NO_FILE);
    expect(status).toBe(COORDINATOR_EXIT.config);
  });

  it('wants a configuration, and says so', () => {
    const { status, said } = run(understudyCommand('coordinator'));
    expect(status).not.toBe(0);
    expect(said).toContain('--config');
  });
});
