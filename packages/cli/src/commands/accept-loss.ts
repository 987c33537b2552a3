import type { CommandDefinition } from '../command-definition.ts';
import { operatorCommand } from '../operator/operator-request.ts';

export const acceptLoss: CommandDefinition = operatorCommand('accept-loss', {
  summary:
    'give something up for which a recovery is held: address:eipalloc-…, interface:eni-…, primary:IP, secondary:IP, ipv6:IP, prefix:CIDR, record:…, target:…, hook:… or volume:vol-… (one that is gone)',
  examples: [
    {
      line: "understudy accept-loss db/one volume:vol-0abc --reason 'restored from backup'",
      what: 'the volume is gone for good',
    },
  ],
  more: (command) => {
    command.argument(
      '<loss>',
      'address:eipalloc-…, interface:eni-…, primary:IP, secondary:IP, ipv6:IP, prefix:CIDR, record:…, target:… or volume:vol-…',
    );
  },
});
