import { type AuditView, AuditViewSchema } from '@understudy/shared';
import { InvalidArgumentError } from 'commander';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { present } from '../watch.ts';

const LIMIT_MAX = 500;

interface AuditOptions extends ReadOptions {
  readonly limit: number;
  readonly before?: string;
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`want a whole number from 1 to ${LIMIT_MAX}`);
}

function auditText({ entries, next }: AuditView): string {
  if (entries.length === 0) return 'nothing was changed by command yet';
  const lines = entries.map(({ atWallMs, who, from, kind, text, reason }) => {
    const at = new Date(atWallMs).toISOString();
    return `${at}  ${kind}  ${who}${from === '' ? '' : ` from ${from}`}\n  ${text}\n  because: ${reason}`;
  });
  return [...lines, ...(next === null ? [] : [`more: understudy audit --before ${next}`])].join('\n');
}

export const audit: CommandDefinition = {
  name: 'audit',
  summary: 'what people have changed by command: who, from where, when, what and why, the newest first',
  kind: 'read',
  examples: [{ line: 'understudy audit --limit 20', what: 'with --json also what was there before and after' }],
  define: (command, context) => {
    command
      .option('--limit <count>', 'so many, at most 500', limitOf, 50)
      .option('--before <id>', 'those before this one')
      .action((options: AuditOptions) => {
        const client = new ControlClient(context, options);
        const before = options.before === undefined ? '' : `&before=${encodeURIComponent(options.before)}`;
        const read = () => client.read(AuditViewSchema, `/v1/audit?limit=${options.limit}${before}`);
        return present(context.clock, outputOf(options), read, auditText);
      });
  },
};
