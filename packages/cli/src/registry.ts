import type { CommandDefinition } from './command-definition.ts';
import { abandon } from './commands/abandon.ts';
import { acceptLoss } from './commands/accept-loss.ts';
import { agent } from './commands/agent.ts';
import { cloudSim } from './commands/cloud-sim.ts';
import { coordinator } from './commands/coordinator.ts';
import { demo } from './commands/demo.ts';
import { explain } from './commands/explain.ts';
import { iamPolicy } from './commands/iam-policy.ts';
import { inspect } from './commands/inspect.ts';
import { agentKey, keysDerive } from './commands/keys-derive.ts';
import { keysFingerprint } from './commands/keys-fingerprint.ts';
import { keysGenerate } from './commands/keys-generate.ts';
import { keysStatus } from './commands/keys-status.ts';
import { leftovers } from './commands/leftovers.ts';
import { members } from './commands/members.ts';
import { recover } from './commands/recover.ts';
import { recoveries } from './commands/recoveries.ts';
import { replan } from './commands/replan.ts';
import { retry } from './commands/retry.ts';
import { status } from './commands/status.ts';
import { tokenNew } from './commands/token-new.ts';

/** Every command, in the order of `understudy --help`. A new one is a file and a line here. */
export const COMMANDS: readonly CommandDefinition[] = [
  status,
  members,
  explain,
  recoveries,
  leftovers,
  keysStatus,
  retry,
  replan,
  acceptLoss,
  abandon,
  recover,
  inspect,
  iamPolicy,
  keysGenerate,
  keysDerive,
  keysFingerprint,
  agentKey,
  tokenNew,
  agent,
  coordinator,
  cloudSim,
  demo,
];

/** Words that only hold others: `keys` of `keys status`. */
export const PARENTS: Readonly<Record<string, { readonly summary: string; readonly group: string }>> = {
  token: { summary: 'tokens of the HTTP API', group: 'Prepare:' },
  keys: { summary: 'heartbeat keys: make, derive, and see how far a rotation is', group: 'Prepare:' },
};
