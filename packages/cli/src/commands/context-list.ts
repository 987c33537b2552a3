import { contextsPath, readContexts } from '../client/contexts-file.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { outputOf } from '../options/output-options.ts';
import { tableText } from '../views/format.ts';
import { present } from '../watch.ts';

interface Listed {
  readonly name: string;
  readonly current: boolean;
  readonly urls: readonly string[];
}

const listText = (all: readonly Listed[]): string =>
  all.length === 0
    ? 'no context: `understudy context add NAME --url URL` makes one'
    : tableText(
        ['', 'context', 'coordinators'],
        all.map(({ name, current, urls }) => [current ? '*' : '', name, urls.join(' ')]),
      );

export const contextList: CommandDefinition = {
  name: 'context list',
  summary: 'the clusters of the context file; * is the current one',
  kind: 'local-read',
  watch: false,
  examples: [{ line: 'understudy context list', what: 'which clusters this user knows' }],
  define: (command, { clock, environment }) => {
    command.action((options: { json?: boolean }) => {
      const read = async (): Promise<readonly Listed[]> => {
        const { current, contexts } = readContexts(contextsPath(environment));
        return Object.entries(contexts).map(([name, { urls }]) => ({ name, current: name === current, urls }));
      };
      return present(clock, outputOf(options), read, listText);
    });
  },
};
