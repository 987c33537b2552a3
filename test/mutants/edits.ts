/** A place in the production code and what a careless author might have written there. */
export interface Edit {
  /** Path from the project's root. */
  readonly file: string;
  /** The text that stands exactly once in the file. */
  readonly find: string;
  /** The text that takes its place. */
  readonly replace: string;
}

/**
 * Applies an edit.
 * @throws when the place does not exist (any more), or is not unique: a mutant that is not there
 * would look like one that survives, or like one that is killed.
 */
export function applied(source: string, edit: Edit): string {
  const parts = source.split(edit.find);
  if (parts.length !== 2)
    throw new Error(
      `the mutation does not apply: ${parts.length - 1} places in ${edit.file} fit "${edit.find}", want 1`,
    );
  return parts.join(edit.replace);
}
