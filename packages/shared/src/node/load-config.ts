import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import { OperationError } from '../errors.ts';
import { faultText } from '../schema-faults.ts';

/**
 * Reads a YAML file and checks it against `schema`. Unknown keys are errors (use `z.strictObject`),
 * cross-field rules belong into the schema's `refine` and name both numbers.
 * @throws CONFIG_INVALID naming file, line, field and what was wanted; every fault is listed, not
 * only the first.
 */
export function loadConfig<T>(schema: z.ZodType<T>, path: string): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OperationError(
      'CONFIG_INVALID',
      `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  return parseConfig(schema, text, path);
}

/** As {@link loadConfig}, from text; `source` names it in messages. */
export function parseConfig<T>(schema: z.ZodType<T>, text: string, source: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const broken = document.errors[0];
  if (broken) throw new OperationError('CONFIG_INVALID', `${source}: ${broken.message}`, { cause: broken });
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const path = issue.path.filter((part): part is string | number => typeof part !== 'symbol');
    const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
    const line = node?.range ? `:${lines.linePos(node.range[0]).line}` : '';
    return `${source}${line}: ${path.length > 0 ? `${path.join('.')}: ` : ''}${faultText(schema, issue)}`;
  });
  throw new OperationError('CONFIG_INVALID', faults.join('\n'), { cause: parsed.error });
}
