/** The actions of Systems Manager that are sent, and whether they change something. */
export const SSM_ACTIONS = {
  SendCommand: true,
  CancelCommand: true,
  GetCommandInvocation: false,
  ListCommandInvocations: false,
  DescribeInstanceInformation: false,
  GetParameter: false,
} as const;

export type SsmAction = keyof typeof SSM_ACTIONS;
