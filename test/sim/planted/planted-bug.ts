import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { World } from '../cluster/world.ts';
import type { InvariantId } from '../invariants/invariant.ts';
import type { Regression } from '../regression.ts';

/** A place in the production code and what a careless author might have written there. */
export interface PlantedPlace extends Edit {
  readonly name: string;
  /** Where one rule is held in several places, and any would do: the others, in other files. */
  readonly also?: Edit | readonly Edit[];
}

export interface Edit {
  /** Below `packages/`. */
  readonly file: string;
  /** Stands exactly once in the file … */
  readonly find: string;
  /** … and becomes this. */
  readonly replace: string;
}

/**
 * One rule of the specification, broken on purpose in the production code, to see whether the
 * simulation would have noticed.
 */
export interface PlantedBug extends PlantedPlace {
  /** The rule of docs/SPEC.md that is broken. */
  readonly rule: string;
  /** What a careless author might have written. */
  readonly story: string;
  /** Any of these has to be broken … */
  readonly caughtBy: readonly InvariantId[];
  /** … in this run, in which the sound code breaks nothing. */
  readonly run: Pick<Regression, 'seed' | 'days' | 'members' | 'faults'> & {
    readonly serveLease?: true;
    readonly reattach?: true;
    readonly identities?: true;
    readonly ladder?: true;
    readonly way?: World['way'];
    readonly shared?: true;
    readonly makes?: true;
    readonly events?: World['events'];
    readonly follows?: true;
    readonly enrols?: true;
    readonly inventory?: true;
    readonly commands?: true;
  };
}

const PACKAGES = new URL('../../../packages/', import.meta.url);

/** Everything that is changed. */
export const editsOf = (bug: PlantedPlace): readonly Edit[] => [bug, ...[bug.also ?? []].flat()];

export const urlOf = (edit: Edit): string => new URL(edit.file, PACKAGES).href;

/**
 * @throws when the place is not there (any more), or not unique: a bug that is not planted would
 * look like one that is not caught.
 */
export function planted(bug: PlantedPlace): string {
  return edited(bug.name, bug);
}

/** @throws as {@link planted} */
export function edited(name: string, edit: Edit): string {
  const file = fileURLToPath(urlOf(edit));
  const parts = readFileSync(file, 'utf8').split(edit.find);
  if (parts.length !== 2)
    throw new Error(`"${name}" cannot be planted: ${parts.length - 1} places in ${file} fit, want 1`);
  return parts.join(edit.replace);
}
