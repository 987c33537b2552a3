/** The actions of KMS that are sent, and whether they change something. */
export const KMS_ACTIONS = { DescribeKey: false } as const;

export type KmsAction = keyof typeof KMS_ACTIONS;
