import type { AgentHost } from '../agent-host.ts';
import type { Check } from '../check.ts';
import { activation } from './activation.ts';
import { agentEnrolment } from './enrolment.ts';
import { enrolmentDocument } from './enrolment-document.ts';
import { host } from './host.ts';
import { service } from './service.ts';
import { workloads } from './workloads.ts';

/** Every check of an agent's host. A new one is a file beside this and a line here. */
export const AGENT_CHECKS: readonly Check<AgentHost>[] = [
  service,
  workloads,
  activation,
  host,
  agentEnrolment,
  enrolmentDocument,
];
