import type { CommandDefinition } from './command-definition.ts';
import { abandon } from './commands/abandon.ts';
import { acceptLoss } from './commands/accept-loss.ts';
import { agent } from './commands/agent.ts';
import { certsInit } from './commands/certs-init.ts';
import { certsIssue } from './commands/certs-issue.ts';
import { certsRenew } from './commands/certs-renew.ts';
import { certsRotateCa } from './commands/certs-rotate-ca.ts';
import { certsShow } from './commands/certs-show.ts';
import { cloudSim } from './commands/cloud-sim.ts';
import { complete, completion } from './commands/completion.ts';
import { contextAdd } from './commands/context-add.ts';
import { contextList } from './commands/context-list.ts';
import { contextRemove } from './commands/context-remove.ts';
import { contextShow } from './commands/context-show.ts';
import { contextUse } from './commands/context-use.ts';
import { coordinator } from './commands/coordinator.ts';
import { demo } from './commands/demo.ts';
import { doctorCoordinator } from './commands/doctor-coordinator.ts';
import { explain } from './commands/explain.ts';
import { iamPolicy } from './commands/iam-policy.ts';
import { history } from './commands/history.ts';
import { holds } from './commands/holds.ts';
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
import { userData } from './commands/user-data.ts';
import { tokenNew } from './commands/token-new.ts';

import { wait } from './commands/wait.ts';

/** Every command, in the order of `understudy --help`. A new one is a file and a line here. */
export const COMMANDS: readonly CommandDefinition[] = [
  status,
  members,
  explain,
  holds,
  recoveries,
  history,
  wait,
  leftovers,
  keysStatus,
  retry,
  replan,
  acceptLoss,
  abandon,
  recover,
  doctorCoordinator,
  inspect,
  iamPolicy,
  contextList,
  contextShow,
  contextAdd,
  contextUse,
  contextRemove,
  certsInit,
  certsIssue,
  certsRenew,
  certsRotateCa,
  certsShow,
  completion,
  complete,
  keysGenerate,
  keysDerive,
  keysFingerprint,
  agentKey,
  userData,
  tokenNew,
  agent,
  coordinator,
  cloudSim,
  demo,
];

/** Words that only hold others: `keys` of `keys status`. */
export const PARENTS: Readonly<Record<string, { readonly summary: string; readonly group: string }>> = {
  token: { summary: 'tokens of the HTTP API', group: 'Prepare:' },
  context: { summary: 'the clusters this user knows, and which one is asked', group: 'Prepare:' },
  doctor: { summary: 'what is wrong with this host, and the remedy of each', group: 'Look at one machine:' },
  certs: { summary: 'TLS certificates of etcd, coordinators and operators', group: 'Prepare:' },
  keys: { summary: 'heartbeat keys: make, derive, and see how far a rotation is', group: 'Prepare:' },
};
