import type { Check } from './check.ts';
import { certificates } from './checks/certificates.ts';
import { clock } from './checks/clock.ts';
import { descriptors } from './checks/descriptors.ts';
import { enrolment } from './checks/enrolment.ts';
import { enrolmentAccount } from './checks/enrolment-account.ts';
import { etcdCompaction } from './checks/etcd-compaction.ts';
import { etcdLatency } from './checks/etcd-latency.ts';
import { etcdMembers } from './checks/etcd-members.ts';
import { etcdSpace } from './checks/etcd-space.ts';
import { events } from './checks/events.ts';
import { instanceHooks } from './checks/instance-hooks.ts';
import { files } from './checks/files.ts';
import { keys } from './checks/keys.ts';
import { names } from './checks/names.ts';
import { peers } from './checks/peers.ts';
import { permissions } from './checks/permissions.ts';
import { quotas } from './checks/quotas.ts';
import { receiveBuffer } from './checks/receive-buffer.ts';
import { running } from './checks/running.ts';
import { sinks } from './checks/sinks.ts';
import { sockets } from './checks/sockets.ts';
import { storedKeys } from './checks/stored-keys.ts';
import type { CoordinatorHost } from './coordinator-host.ts';

/** Every check of a coordinator's host. A new one is a file in `checks/` and a line here. */
export const COORDINATOR_CHECKS: readonly Check<CoordinatorHost>[] = [
  files,
  clock,
  names,
  sockets,
  etcdMembers,
  etcdSpace,
  etcdLatency,
  etcdCompaction,
  peers,
  keys,
  enrolment,
  enrolmentAccount,
  storedKeys,
  running,
  permissions,
  events,
  instanceHooks,
  sinks,
  quotas,
  certificates,
  receiveBuffer,
  descriptors,
];
