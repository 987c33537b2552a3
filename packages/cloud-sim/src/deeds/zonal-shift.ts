import * as z from 'zod';
import { deed } from './deed.ts';

/** Somebody shifts the traffic of a balancer away from zones. */
export const zonalShift = deed({
  name: 'zonalShift',
  path: '/elbv2/zonal-shift',
  /** By its ARN or its name. */
  value: z.strictObject({ loadBalancerArn: z.string(), zones: z.array(z.string()) }),
  otherwise: 'no load balancer of that ARN',
  perform: ({ sim }, { loadBalancerArn, zones }) => {
    const found = sim.balancing
      .balancers()
      .find(({ arn, name }) => arn === loadBalancerArn || name === loadBalancerArn);
    if (found) sim.balancing.putBalancer({ ...found, shiftedZones: zones });
    return found !== undefined;
  },
});
