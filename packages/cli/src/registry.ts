import type { CommandDefinition } from './command-definition.ts';
import { acknowledge } from './commands/acknowledge.ts';
import { apply } from './commands/apply.ts';
import { audit } from './commands/audit.ts';
import { drain } from './commands/drain.ts';
import { drains } from './commands/drains.ts';
import { getPolicy } from './commands/get-policy.ts';
import { holdRelease } from './commands/hold-release.ts';
import { leaderTransfer } from './commands/leader-transfer.ts';
import { pause } from './commands/pause.ts';
import { plan } from './commands/plan.ts';
import { policyReset } from './commands/policy-reset.ts';
import { resume } from './commands/resume.ts';
import { undrain } from './commands/undrain.ts';
import { abandon } from './commands/abandon.ts';
import { acceptLoss } from './commands/accept-loss.ts';
import { agent } from './commands/agent.ts';
import { certsInit } from './commands/certs-init.ts';
import { certsIssue } from './commands/certs-issue.ts';
import { certsRenew } from './commands/certs-renew.ts';
import { certsRotateCa } from './commands/certs-rotate-ca.ts';
import { certsShow } from './commands/certs-show.ts';
import { bundle } from './commands/bundle.ts';
import { cloudSim } from './commands/cloud-sim.ts';
import { complete, completion } from './commands/completion.ts';
import { contextAdd } from './commands/context-add.ts';
import { contextList } from './commands/context-list.ts';
import { contextRemove } from './commands/context-remove.ts';
import { contextShow } from './commands/context-show.ts';
import { contextUse } from './commands/context-use.ts';
import { coordinator } from './commands/coordinator.ts';
import { demo } from './commands/demo.ts';
import { doctorAgent } from './commands/doctor-agent.ts';
import { doctorCoordinator } from './commands/doctor-coordinator.ts';
import { events } from './commands/events.ts';
import { explain } from './commands/explain.ts';
import { iamPolicy } from './commands/iam-policy.ts';
import { handback } from './commands/handback.ts';
import { history } from './commands/history.ts';
import { holds } from './commands/holds.ts';
import { inspect } from './commands/inspect.ts';
import { inventoryDiff } from './commands/inventory-diff.ts';
import { inventoryList } from './commands/inventory-list.ts';
import { inventoryRecovery } from './commands/inventory-recovery.ts';
import { inventoryShow } from './commands/inventory-show.ts';
import { inventoryStatus } from './commands/inventory-status.ts';
import { agentKey, keysDerive } from './commands/keys-derive.ts';
import { keysFingerprint } from './commands/keys-fingerprint.ts';
import { keysGenerate } from './commands/keys-generate.ts';
import { keysStatus } from './commands/keys-status.ts';
import { leftovers } from './commands/leftovers.ts';
import { enrolmentsList } from './commands/enrolments-list.ts';
import { enrolmentsReset } from './commands/enrolments-reset.ts';
import { noticeDrop } from './commands/notice-drop.ts';
import { noticeResend } from './commands/notice-resend.ts';
import { notices } from './commands/notices.ts';
import { members } from './commands/members.ts';
import { readiness } from './commands/readiness.ts';
import { recover } from './commands/recover.ts';
import { recoveries } from './commands/recoveries.ts';
import { replan } from './commands/replan.ts';
import { retry } from './commands/retry.ts';
import { simulate } from './commands/simulate.ts';
import { status } from './commands/status.ts';
import { undo } from './commands/undo.ts';
import { userData } from './commands/user-data.ts';
import { tokenNew } from './commands/token-new.ts';

import { verifyAccount } from './commands/verify-account.ts';
import { wait } from './commands/wait.ts';

/** Every command, in the order of `understudy --help`. A new one is a file and a line here. */
export const COMMANDS: readonly CommandDefinition[] = [
  status,
  members,
  explain,
  holds,
  recoveries,
  history,
  inventoryStatus,
  inventoryList,
  inventoryShow,
  inventoryDiff,
  inventoryRecovery,
  handback,
  events,
  wait,
  leftovers,
  notices,
  enrolmentsList,
  enrolmentsReset,
  noticeResend,
  noticeDrop,
  keysStatus,
  plan,
  readiness,
  simulate,
  getPolicy,
  drains,
  audit,
  pause,
  resume,
  holdRelease,
  acknowledge,
  apply,
  policyReset,
  drain,
  undrain,
  leaderTransfer,
  retry,
  replan,
  acceptLoss,
  abandon,
  recover,
  undo,
  doctorCoordinator,
  verifyAccount,
  doctorAgent,
  bundle,
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

const DECIDE = 'Decide (each asks first, and is recorded with who and why):';

/** Words that only hold others: `keys` of `keys status`. */
export const PARENTS: Readonly<Record<string, { readonly summary: string; readonly group: string }>> = {
  token: { summary: 'tokens of the HTTP API', group: 'Prepare:' },
  context: { summary: 'the clusters this user knows, and which one is asked', group: 'Prepare:' },
  doctor: { summary: 'what is wrong with this host, and the remedy of each', group: 'Look at one machine:' },
  certs: { summary: 'TLS certificates of etcd, coordinators and operators', group: 'Prepare:' },
  get: { summary: 'the policy of groups', group: 'See and ask:' },
  inventory: {
    summary: 'what resources of AWS were like at any time, as far as a history is kept',
    group: 'See and ask:',
  },
  hold: { summary: 'holds of recoveries', group: DECIDE },
  leader: { summary: 'who leads', group: DECIDE },
  enrolments: { summary: 'keys that agents get by the identity of their instance', group: DECIDE },
  notice: { summary: 'notices that a webhook did not take', group: DECIDE },
  policy: { summary: 'policies of groups', group: DECIDE },
  keys: { summary: 'heartbeat keys: make, derive, and see how far a rotation is', group: 'Prepare:' },
};
