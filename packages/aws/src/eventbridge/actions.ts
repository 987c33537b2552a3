/** The actions of EventBridge that are sent, and whether they change something. */
export const EVENTBRIDGE_ACTIONS = {
  PutEvents: true,
  DescribeEventBus: false,
} as const;

export type EventBridgeAction = keyof typeof EVENTBRIDGE_ACTIONS;
