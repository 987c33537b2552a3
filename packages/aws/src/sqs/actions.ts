/** The actions of SQS that are sent, and whether they change something. */
export const SQS_ACTIONS = {
  /** It hides what it delivers, and nothing else: a repeat is harmless. */
  ReceiveMessage: false,
  DeleteMessage: true,
  ChangeMessageVisibility: true,
  GetQueueAttributes: false,
} as const;

export type SqsAction = keyof typeof SQS_ACTIONS;
