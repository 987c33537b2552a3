import type { Scenario } from '../scenario.ts';
import { firstBoot } from './first-boot.ts';

/** In this order: each takes over the cluster as the one before left it, and that is well. */
export const SCENARIOS: readonly Scenario[] = [firstBoot];
