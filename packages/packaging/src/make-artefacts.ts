import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Artefact, Workshop } from './artefact.ts';

export interface Made {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly tookMs: number;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

export interface MakeOptions {
  readonly workshop: Workshop;
  readonly nowMs: () => number;
  readonly onMade: (made: Made) => void;
}

/** Makes them one after another, and the list of their sums at the end. */
export async function makeArtefacts(artefacts: readonly Artefact[], options: MakeOptions): Promise<readonly Made[]> {
  const { workshop, nowMs, onMade } = options;
  await mkdir(workshop.out, { recursive: true });
  const all: Made[] = [];
  for (const artefact of artefacts) {
    const startedMs = nowMs();
    const path = join(workshop.out, artefact.file);
    await rm(path, { force: true });
    await artefact.make(workshop);
    const made = {
      file: artefact.file,
      bytes: (await stat(path)).size,
      sha256: await sha256Of(path),
      tookMs: nowMs() - startedMs,
    };
    onMade(made);
    all.push(made);
  }
  await writeFile(join(workshop.out, 'SHA256SUMS'), sumsText(all));
  return all;
}

const sumsText = (all: readonly Made[]): string =>
  [...all]
    .sort((one, other) => (one.file < other.file ? -1 : 1))
    .map(({ file, sha256 }) => `${sha256}  ${file}\n`)
    .join('');
