/**
 * What the comments say of the fields of a schema, read from its source: each field's meaning
 * stands in the comment before it, and nowhere else.
 */
export interface FieldComment {
  readonly field: string;
  readonly text: string;
  /** Names of the schemas that its own one is made of. */
  readonly uses: readonly string[];
}

const BLOCK = /^(?:export )?const (\w+) = (?:z\.strictObject\(|\{|z$)/;
const FIELD = /^(\s{2,4})(\w+)(?::|,$)/;
const SPREAD = /^\s{2,4}\.\.\.(\w+),/;

const textOf = (comment: readonly string[]): string =>
  comment
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*)?/, '').replace(/\*\/\s*$/, ''))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** Every schema that a source names. */
export const schemaNames = (source: string): readonly string[] =>
  [...source.matchAll(/^(?:export )?const (\w+) =/gm)].map(([, name = '']) => name);

/** The fields of each `const name = z.strictObject({ … })` of a source, by that name. */
export function fieldComments(source: string, names: readonly string[]): ReadonlyMap<string, readonly FieldComment[]> {
  const blocks = new Map<string, FieldComment[]>();
  let block: FieldComment[] | null = null;
  let comment: string[] = [];
  let isComment = false;
  for (const line of source.split('\n')) {
    const [, opened] = BLOCK.exec(line) ?? [];
    if (opened !== undefined) blocks.set(opened, (block = []));
    if (/^(?: {2})?\}\)/.test(line) || /^[})\]]/.test(line)) block = null;
    if (/^\s*\/\*\*/.test(line)) [isComment, comment] = [true, []];
    if (isComment) {
      comment.push(line);
      if (line.includes('*/')) isComment = false;
      continue;
    }
    const [, , field] = FIELD.exec(line) ?? [];
    const [, spread] = SPREAD.exec(line) ?? [];
    const isField = field !== undefined && block !== null && !/^\s*(?:const|return|if)\b/.test(line);
    if (isField && block) block.push({ field, text: textOf(comment), uses: [] });
    else if (spread !== undefined && block) block.push(...(blocks.get(spread) ?? []));
    const last = block?.at(-1);
    if (block && last && !/^\s*\.\.\./.test(line)) {
      const uses = names.filter((name) => new RegExp(`\\b${name}\\b`).test(line) && name !== last.field);
      const own = names.filter((name) => name === last.field && new RegExp(`: ${name}\\b`).test(line));
      block[block.length - 1] = { ...last, uses: [...new Set([...last.uses, ...uses, ...own])] };
    }
    if (line.trim() !== '') comment = [];
  }
  return blocks;
}
