import type { Scenario } from '../scenario.ts';
import { agentKilled } from './agent-killed.ts';
import { agentStopped } from './agent-stopped.ts';
import { agentUninstalled } from './agent-uninstalled.ts';
import { agentUpgraded } from './agent-upgraded.ts';
import { coordinatorsUpgraded } from './coordinators-upgraded.ts';
import { diskRestored } from './disk-restored.ts';
import { firstBoot } from './first-boot.ts';
import { hung } from './hung.ts';
import { powerCut } from './power-cut.ts';
import { predecessorReturns } from './predecessor-returns.ts';
import { reboot } from './reboot.ts';

/** In this order: each takes over the cluster as the one before left it, and that is well. */
export const SCENARIOS: readonly Scenario[] = [
  firstBoot,
  powerCut,
  predecessorReturns,
  diskRestored,
  agentKilled,
  agentStopped,
  agentUpgraded,
  agentUninstalled,
  reboot,
  hung,
  coordinatorsUpgraded,
];
