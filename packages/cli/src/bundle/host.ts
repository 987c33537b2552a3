import { existsSync, readFileSync } from 'node:fs';
import { errorText } from '@understudy/shared';
import { loadConfig } from '@understudy/shared/node';
import { namedFiles } from '../doctor/config-files.ts';
import { diagnose } from '../doctor/diagnose.ts';
import type { ProgramContext } from '../program-context.ts';
import type { Archive } from './archive.ts';

/** The secrets in the files that a configuration names: never written, wherever they turn up. */
export async function secretsOf(configPath: string | undefined): Promise<readonly string[]> {
  if (configPath === undefined) return [];
  const { CoordinatorConfigSchema } = await import('@understudy/coordinator');
  const config = await Promise.resolve(configPath).then(
    (path) => loadConfig(CoordinatorConfigSchema, path),
    () => null,
  );
  return namedFiles(config)
    .filter(({ path, isSecret }) => isSecret && existsSync(path))
    .flatMap(({ path }) => {
      const text = readFileSync(path, 'utf8').trim();
      return [text, ...text.split(/\s+/)];
    });
}

/** Keys of each area with their sizes: never a value. */
async function keyListing(configPath: string, root: string): Promise<string> {
  const { openStore } = await import('@understudy/coordinator');
  const store = openStore({ configPath });
  try {
    const { entries, revision } = await store.range(root);
    const lines = entries.map(({ key, value, modRevision }) => `${key} ${value.length} bytes, revision ${modRevision}`);
    const areas = Map.groupBy(entries, ({ key }) => key.slice(root.length).split('/')[0] ?? '');
    const counts = [...areas].map(([area, all]) => `${area}: ${all.length}`);
    return [`revision ${revision}`, ...counts, '', ...lines, ''].join('\n');
  } finally {
    await store.close();
  }
}

/** What only this host knows: its configuration, the keys in etcd, and what doctor finds. */
export async function collectHost(archive: Archive, configPath: string, context: ProgramContext): Promise<void> {
  const { CoordinatorConfigSchema, maskedConfig } = await import('@understudy/coordinator');
  try {
    const config = loadConfig(CoordinatorConfigSchema, configPath);
    archive.addJson('host/configuration.json', maskedConfig(config));
    archive.addText('host/etcd-keys.txt', await keyListing(configPath, config.etcd.root));
  } catch (error) {
    archive.leaveOut('host/configuration.json', errorText(error));
  }
  archive.addJson('host/doctor.json', await diagnose({ config: configPath }, context));
}
