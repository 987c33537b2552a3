import type { CommandDefinition } from '../command-definition.ts';
import { type MasterOptions, withMaster } from '../keys/key-options.ts';
import { masterFingerprint } from '../keys/master-key.ts';
import { print, shownText } from '../terminal.ts';

export const keysFingerprint: CommandDefinition = {
  name: 'keys fingerprint',
  summary: 'print what `keys status` shows for this master secret',
  kind: 'local',
  examples: [{ line: 'understudy keys fingerprint --master master.key', what: 'compare it with `keys status`' }],
  define: (command) => {
    withMaster(command).action((options: MasterOptions) => {
      print(shownText(masterFingerprint(options.master, options.keyId)));
    });
  },
};
