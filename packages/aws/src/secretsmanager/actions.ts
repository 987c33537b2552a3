/** The actions of Secrets Manager that are sent, and whether they change something. */
export const SECRETS_MANAGER_ACTIONS = { GetSecretValue: false } as const;

export type SecretsManagerAction = keyof typeof SECRETS_MANAGER_ACTIONS;
