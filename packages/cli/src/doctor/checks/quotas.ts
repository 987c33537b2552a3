import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { note } from '../finding.ts';

/** Names what a recovery takes from the account, because nobody here may ask Service Quotas. */
export const quotas = check(
  'quotas',
  (_: CoordinatorHost) => null,
  () => [
    note(
      'EC2 quotas are not asked for (the policy has no right to): a zone that is lost needs room for its members beside those that are kept stopped: running On-Demand vCPUs, EBS storage, snapshots, network interfaces, and launches per second',
    ),
  ],
);
