/** `arn:partition:service:region:account:resource`. Empty where an ARN names none. */
export const regionOfArn = (arn: string): string => arn.split(':')[3] ?? '';
