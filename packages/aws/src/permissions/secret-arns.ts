import type { PolicyScope } from './policy-scope.ts';

type Place = Pick<PolicyScope, 'partition' | 'region' | 'account'>;

/** `name`: with or without the leading slash, or an ARN. */
export const parameterArn = ({ partition, region, account }: Place, name: string): string =>
  name.startsWith('arn:') ? name : `arn:${partition}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;

/** Secrets Manager adds six characters to the name in the ARN. */
export const secretArn = ({ partition, region, account }: Place, secret: string): string =>
  secret.startsWith('arn:') ? secret : `arn:${partition}:secretsmanager:${region}:${account}:secret:${secret}-??????`;
