/** The actions of SNS that are sent, and whether they change something. */
export const SNS_ACTIONS = {
  Publish: true,
  GetTopicAttributes: false,
} as const;

export type SnsAction = keyof typeof SNS_ACTIONS;
