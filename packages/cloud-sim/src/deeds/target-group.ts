import * as z from 'zod';
import { deed } from './deed.ts';

const GroupSchema = z.strictObject({
  ...{ name: z.string().min(1), port: z.number().int().min(1).max(65_535), vpcId: z.string() },
  protocol: z.enum(['HTTP', 'HTTPS', 'TCP', 'TLS', 'UDP', 'TCP_UDP', 'QUIC', 'TCP_QUIC']).default('HTTP'),
  targetType: z.enum(['instance', 'ip']).default('instance'),
  loadBalancerArn: z.string().nullable().default(null),
  drainMs: z.number().min(0).max(3_600_000).default(300_000),
  checks: z
    .strictObject({
      enabled: z.boolean().exactOptional(),
      intervalMs: z.number().min(1).exactOptional(),
      unhealthyAfter: z.number().int().min(1).exactOptional(),
    })
    .default({}),
});

/** Makes a target group. */
export const targetGroup = deed({
  name: 'targetGroup',
  path: '/elbv2/target-groups',
  value: GroupSchema,
  perform: ({ sim }, wanted) => ({ targetGroup: { arn: sim.balancing.make(wanted).arn } }),
});
