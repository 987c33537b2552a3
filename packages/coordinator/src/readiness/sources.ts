import type { ReadinessSource } from './facts.ts';
import { agentSource } from './sources/agent.ts';
import { guardSource } from './sources/guard.ts';
import { permissionsSource } from './sources/permissions.ts';
import { planSource } from './sources/plan.ts';
import { subnetsSource } from './sources/subnets.ts';

/**
 * Everything that readiness rests on, a file and a line each. Snapshots by schedule, instances that
 * are kept ready and drills, once they are built, come in here.
 */
export const SOURCES: readonly ReadinessSource[] = [
  planSource,
  permissionsSource,
  subnetsSource,
  guardSource,
  agentSource,
];
