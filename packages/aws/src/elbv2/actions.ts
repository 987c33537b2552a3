/** The actions of Elastic Load Balancing that are sent, and whether they change something. */
export const ELBV2_ACTIONS = {
  DescribeTargetGroups: false,
  DescribeTargetHealth: false,
  DescribeLoadBalancers: false,
  RegisterTargets: true,
  DeregisterTargets: true,
} as const;

export type Elbv2Action = keyof typeof ELBV2_ACTIONS;
