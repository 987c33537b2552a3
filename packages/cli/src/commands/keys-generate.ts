import type { CommandDefinition } from '../command-definition.ts';
import { keyId } from '../keys/key-options.ts';
import { generateMaster, masterFingerprint } from '../keys/master-key.ts';
import { print, shownText } from '../terminal.ts';

export const keysGenerate: CommandDefinition = {
  name: 'keys generate',
  summary: 'write a new master secret (mode 0600); never overwrites',
  kind: 'local',
  examples: [{ line: 'understudy keys generate master.key', what: 'once; copy it to every coordinator' }],
  define: (command, { random }) => {
    command
      .argument('<file>', 'where to')
      .option('--key-id <id>', 'only for the fingerprint that is printed', keyId, 1)
      .action((file: string, options: { keyId: number }) => {
        generateMaster(file, random);
        print(shownText(`${file}: id ${options.keyId} has fingerprint ${masterFingerprint(file, options.keyId)}`));
      });
  },
};
