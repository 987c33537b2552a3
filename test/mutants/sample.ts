import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '@understudy/shared/testing';
import { ROOT, type Room, type Scope } from './rooms.ts';

/** Lines of one stretch: enough for a function and its mutants. */
const STRETCH_LINES = 12;

interface Stretch {
  readonly room: Room;
  readonly file: string;
  readonly fromLine: number;
}

function stretchesOf(room: Room, file: string): Stretch[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n').length;
  return Array.from({ length: Math.ceil(lines / STRETCH_LINES) }, (_, index) => ({
    room,
    file,
    fromLine: index * STRETCH_LINES + 1,
  }));
}

/** `count` stretches of twelve lines, chosen by the seed, as \`file:from-to\` by room. */
export function sampled(scope: Scope, count: number, seed: number): Scope {
  const random = new SeededRandom(seed);
  const all = [...scope].flatMap(([room, files]) => files.flatMap((file) => stretchesOf(room, file)));
  const chosen = all
    .map((stretch) => ({ stretch, dice: random.next() }))
    .sort((a, b) => a.dice - b.dice)
    .slice(0, count)
    .map(({ stretch }) => stretch);
  const mutate = new Map<Room, readonly string[]>();
  for (const { room, file, fromLine } of chosen)
    mutate.set(room, [...(mutate.get(room) ?? []), `${file}:${fromLine}-${fromLine + STRETCH_LINES - 1}`]);
  return mutate;
}
