import { OperationError } from '@understudy/shared';
import { type Context, contextsPath, readContexts } from '../client/contexts-file.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { outputOf } from '../options/output-options.ts';
import { present } from '../watch.ts';

const shown = ({ name, ...context }: Context & { readonly name: string }): string =>
  [
    `context    ${name}`,
    ...context.urls.map((url, index) => `${index === 0 ? 'urls      ' : '          '} ${url}`),
    `token      ${context.tokenFile ?? '-'}`,
    `ca         ${context.caFile ?? "the system's"}`,
    `client     ${context.certFile ?? '-'}`,
  ].join('\n');

export const contextShow: CommandDefinition = {
  name: 'context show',
  summary: 'addresses and files of one context; it holds no secret itself',
  kind: 'local-read',
  watch: false,
  examples: [
    { line: 'understudy context show', what: 'the current one' },
    { line: 'understudy context show prod --json', what: 'for a script' },
  ],
  define: (command, { clock, environment }) => {
    command
      .argument('[name]', 'which (default: the current one)')
      .action((name: string | undefined, options: { json?: boolean }) => {
        const read = async () => {
          const path = contextsPath(environment);
          const { current, contexts } = readContexts(path);
          const wanted = name ?? current ?? '';
          const found = Object.hasOwn(contexts, wanted) ? contexts[wanted] : undefined;
          if (found === undefined) throw new OperationError('CONFIG_INVALID', `no context ${wanted} in ${path}`);
          return { name: wanted, ...found };
        };
        return present(clock, outputOf(options), read, shown);
      });
  },
};
