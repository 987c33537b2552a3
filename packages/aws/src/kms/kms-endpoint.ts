/** The settings that say where EC2 and KMS are asked. */
export interface Endpoints {
  /** `aws.endpoint` */
  readonly ec2: string | undefined;
  /** `aws.kmsEndpoint` */
  readonly kms: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** True for an address of AWS itself, a VPC endpoint included. It answers for one service only. */
const isAws = (url: string): boolean => /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|api\.aws)$/i.test(new URL(url).hostname);

/**
 * Where KMS is asked. Undefined: where the SDK looks for it. An operator who has put another
 * service in EC2's place does not want the keys asked about at AWS. That service is then asked
 * about KMS too, and need not know it.
 */
export const kmsEndpointOf = ({ ec2, kms, environment }: Endpoints): string | undefined =>
  serviceEndpointOf({ ec2, own: kms, variable: 'AWS_ENDPOINT_URL_KMS', environment });

/** True when another service stands in EC2's place, as far as settings and environment say. */
export function isStandIn({ ec2, environment }: Pick<Endpoints, 'ec2' | 'environment'>): boolean {
  const endpoint = ec2 ?? environment.AWS_ENDPOINT_URL_EC2;
  return endpoint !== undefined && !(URL.canParse(endpoint) && isAws(endpoint));
}

interface ServiceEndpoints extends Pick<Endpoints, 'ec2' | 'environment'> {
  /** The setting of the service itself. */
  readonly own: string | undefined;
  /** The SDK's variable for it. */
  readonly variable: string;
}

/** The same for any service beside EC2. */
export function serviceEndpointOf({ ec2, own, variable, environment }: ServiceEndpoints): string | undefined {
  if (own !== undefined) return own;
  if (environment[variable] !== undefined) return undefined;
  const standIn = ec2 ?? environment.AWS_ENDPOINT_URL_EC2;
  return standIn === undefined || !URL.canParse(standIn) || isAws(standIn) ? undefined : standIn;
}
