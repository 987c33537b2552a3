/** The Region: as configured, else as the AWS command line takes it. Empty: nowhere is it said. */
export const awsRegionOf = (configured: string | undefined, environment: NodeJS.ProcessEnv): string =>
  configured ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? '';
