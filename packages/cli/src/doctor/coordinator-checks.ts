import type { Check } from './check.ts';
import { certificates } from './checks/certificates.ts';
import { configuration } from './checks/configuration.ts';
import type { CoordinatorHost } from './coordinator-host.ts';

/** Every check of a coordinator's host. A new one is a file in `checks/` and a line here. */
export const COORDINATOR_CHECKS: readonly Check<CoordinatorHost>[] = [configuration, certificates];
