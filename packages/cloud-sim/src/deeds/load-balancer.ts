import * as z from 'zod';
import { deed } from './deed.ts';

/** Makes a load balancer. */
export const loadBalancer = deed({
  name: 'loadBalancer',
  path: '/elbv2/load-balancers',
  value: z.strictObject({ name: z.string().min(1), vpcId: z.string(), zones: z.array(z.string()) }),
  perform: ({ sim }, wanted) => ({ loadBalancer: sim.balancing.makeBalancer(wanted) }),
});
