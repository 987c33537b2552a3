import { OperationError } from '@understudy/shared';
import { contextsPath, readContexts, writeContexts } from '../client/contexts-file.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { print, shownText } from '../terminal.ts';

export const contextUse: CommandDefinition = {
  name: 'context use',
  summary: 'make a context the current one, which is asked when nothing else is said',
  kind: 'local',
  examples: [{ line: 'understudy context use prod', what: 'until another is used' }],
  define: (command, { environment }) => {
    command.argument('<name>', 'which').action((name: string) => {
      const path = contextsPath(environment);
      const all = readContexts(path);
      if (!Object.hasOwn(all.contexts, name))
        throw new OperationError('CONFIG_INVALID', `no context ${name} in ${path}`);
      writeContexts(path, { ...all, current: name });
      print(shownText(`${name} is the current context`));
    });
  },
};
