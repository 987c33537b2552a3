import type { Scenario } from '../scenario.ts';
import { AGENT_DISK } from './agent-disk.ts';
import { CLOUD_FAILURES } from './cloud-failures.ts';
import { CLOCKS } from './clocks.ts';
import { ETCD } from './etcd.ts';
import { ETCD_SPACE } from './etcd-space.ts';
import { FOREIGN_ANSWERS } from './foreign-answers.ts';
import { LADDER } from './ladder.ts';
import { LEADER_KILLED, LEADER_STOPPED } from './leader-struck.ts';
import { IDLE_CONNECTIONS } from './idle-connections.ts';
import { OPEN_CHORES } from './open-chores.ts';
import { OPERATOR_COMMANDS } from './operator-commands.ts';
import { SECOND_AGENTS } from './second-agents.ts';
import { PREPARED } from './prepared.ts';
import { PRIMARY_ADDRESS } from './primary-address.ts';
import { UNDO } from './undo.ts';
import { UNSTOPPABLE } from './unstoppable.ts';
import { NEIGHBOURING_BUILDS } from './neighbouring-builds.ts';
import { PARTITIONS } from './partitions.ts';

/** Every scenario, in the order they are run. */
export const SCENARIOS: readonly Scenario[] = [
  ...PARTITIONS,
  ...LEADER_STOPPED,
  ...LEADER_KILLED,
  ...ETCD,
  ...ETCD_SPACE,
  ...CLOCKS,
  ...AGENT_DISK,
  ...FOREIGN_ANSWERS,
  ...UNSTOPPABLE,
  ...CLOUD_FAILURES,
  ...OPERATOR_COMMANDS,
  ...OPEN_CHORES,
  ...SECOND_AGENTS,
  ...IDLE_CONNECTIONS,
  ...LADDER,
  ...UNDO,
  ...PREPARED,
  ...PRIMARY_ADDRESS,
  ...NEIGHBOURING_BUILDS,
];
