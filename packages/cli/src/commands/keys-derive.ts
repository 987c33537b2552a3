import type { Command } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { type MasterOptions, withMaster } from '../keys/key-options.ts';
import { agentKeyHex } from '../keys/master-key.ts';
import { print, shownText } from '../terminal.ts';

interface DeriveOptions extends MasterOptions {
  readonly next?: boolean;
}

function derive(member: string, { master, keyId: id, next }: DeriveOptions): void {
  const hex = agentKeyHex(master, id, member);
  print(shownText(next === true ? `${id} ${hex}` : hex));
}

const withMember = (command: Command): Command => withMaster(command).argument('<member>', 'group/name');

export const keysDerive: CommandDefinition = {
  name: 'keys derive',
  summary: "print one agent's heartbeat key, derived from the master secret",
  kind: 'local',
  examples: [
    { line: 'understudy keys derive db/one --master master.key', what: "the agent's key file" },
    {
      line: 'understudy keys derive db/one --master new.key --key-id 2 --next',
      what: "the agent's next.key, for a rotation",
    },
  ],
  define: (command) => {
    withMember(command).option('--next', "as the agent's next.key wants it: id and key").action(derive);
  },
};

export const agentKey: CommandDefinition = {
  name: 'agent-key',
  summary: 'the older name of `keys derive`',
  kind: 'local',
  hidden: true,
  examples: [{ line: 'understudy agent-key db/one --master master.key', what: "the agent's key file" }],
  define: (command) => {
    withMember(command).action(derive);
  },
};
