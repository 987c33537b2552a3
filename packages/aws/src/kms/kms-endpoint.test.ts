import { expect, test } from 'vitest';
import { kmsEndpointOf } from './kms-endpoint.ts';

const SIM = 'http://127.0.0.1:4566';

test.each<readonly [string, string | undefined, string | undefined, Record<string, string>, string | undefined]>([
  ['nothing said: the Region’s own', undefined, undefined, {}, undefined],
  ['what the configuration names', SIM, 'https://kms.internal', {}, 'https://kms.internal'],
  ['what stands in EC2’s place', SIM, undefined, {}, SIM],
  ['the same, named in the environment', undefined, undefined, { AWS_ENDPOINT_URL_EC2: SIM }, SIM],
  ['the SDK’s own variable goes before it', SIM, undefined, { AWS_ENDPOINT_URL_KMS: 'http://kms' }, undefined],
  ['EC2 by an address of AWS', 'https://ec2.eu-west-1.amazonaws.com', undefined, {}, undefined],
  ['in China', 'https://ec2.cn-north-1.amazonaws.com.cn', undefined, {}, undefined],
  ['EC2’s dual-stack address', 'https://ec2.eu-west-1.api.aws', undefined, {}, undefined],
  ['EC2 by a VPC endpoint', 'https://vpce-1.ec2.us-east-1.vpce.amazonaws.com', undefined, {}, undefined],
  ['a host that only looks like it', 'https://notamazonaws.com', undefined, {}, 'https://notamazonaws.com'],
  ['what is no address', undefined, undefined, { AWS_ENDPOINT_URL_EC2: 'nonsense' }, undefined],
])('%s', (_, ec2, kms, environment, expected) => expect(kmsEndpointOf({ ec2, kms, environment })).toBe(expected));
