import { LOCAL_TIMES, type LocalCluster, localPolicy } from '@understudy/local-cluster';
import { type Clock, OperationError, PoliciesViewSchema, type Random } from '@understudy/shared';

const ASK_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 100;
/** A policy is in force within two passes of every coordinator. */
const IN_FORCE_LIMIT_MS = 15_000;

/** How the two groups want their members back. */
async function wanted(cluster: LocalCluster) {
  const subnets = await cluster.operator.subnets();
  return [
    // Disks move to another machine of the same zone: nothing is copied.
    {
      group: 'orders-db',
      policy: localPolicy({ recover: { ladder: { rungs: ['reattach', 'snapshot-and-replace'] } } }),
    },
    // Away from its zone: disks are copied by snapshots.
    { group: 'ci', policy: localPolicy({ recover: { placements: [{ subnetId: subnets.get('c') ?? '' }] } }) },
  ];
}

/** As `understudy apply` does, and waits until the policies are in force. */
export async function applyPolicies(
  cluster: LocalCluster,
  { clock, random, signal }: { readonly clock: Clock; readonly random: Random; readonly signal: AbortSignal },
): Promise<void> {
  const [url = ''] = cluster.urls;
  const groups = await wanted(cluster);
  const reply = await fetch(`${url}/v1/policies`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${cluster.operatorToken}`,
      'idempotency-key': random.hex(32),
    },
    body: JSON.stringify({ groups, reason: 'the play' }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_LIMIT_MS)]),
  });
  if (!reply.ok) throw new OperationError('REQUEST_REFUSED', `the policies were refused: ${await reply.text()}`);
  const untilMs = clock.monotonicMs() + IN_FORCE_LIMIT_MS;
  for (const each of cluster.urls) {
    while (!(await isInForce(each, groups.length, signal))) {
      if (clock.monotonicMs() > untilMs)
        throw new OperationError('COORDINATOR_UNAVAILABLE', `the policies are not in force at ${each}`);
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
  await clock.sleep(LOCAL_TIMES.keepaliveMs, signal);
}

async function isInForce(url: string, groups: number, signal: AbortSignal): Promise<boolean> {
  const reply = await fetch(`${url}/v1/policies`, { signal });
  if (!reply.ok) return false;
  const { policies } = PoliciesViewSchema.parse(await reply.json());
  return policies.filter((one) => one.revision > 0).length === groups;
}
