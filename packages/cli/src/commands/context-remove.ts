import { OperationError } from '@understudy/shared';
import { contextsPath, readContexts, writeContexts } from '../client/contexts-file.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { print, shownText } from '../terminal.ts';

export const contextRemove: CommandDefinition = {
  name: 'context remove',
  summary: 'forget a context; the files it names are left alone',
  kind: 'local',
  examples: [{ line: 'understudy context remove staging', what: 'nothing is asked of the cluster' }],
  define: (command, { environment }) => {
    command.argument('<name>', 'which').action((name: string) => {
      const path = contextsPath(environment);
      const { current, contexts } = readContexts(path);
      if (!Object.hasOwn(contexts, name)) throw new OperationError('CONFIG_INVALID', `no context ${name} in ${path}`);
      const { [name]: _, ...others } = contexts;
      writeContexts(path, { current: current === name ? null : current, contexts: others });
      print(shownText(`${name} is forgotten`));
    });
  },
};
