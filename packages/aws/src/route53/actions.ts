/** The actions of Route 53 that are sent, and whether they change something. */
export const ROUTE53_ACTIONS = {
  ListResourceRecordSets: false,
  ChangeResourceRecordSets: true,
  GetChange: false,
} as const;

export type Route53Action = keyof typeof ROUTE53_ACTIONS;
