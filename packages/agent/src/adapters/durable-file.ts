import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file so that a reader sees the old or the new text, never a part, also after a power
 * cut. It writes beside the file, syncs, renames, and syncs the folder. Makes the folder when it is
 * missing.
 */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const beside = `${path}.new`;
  const file = await open(beside, 'w', mode);
  try {
    // The umask of a service would take the right to read it from workloads.
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const holder = await open(folder, 'r');
  try {
    await holder.sync();
  } finally {
    await holder.close();
  }
}
