import * as ec2 from '@aws-sdk/client-ec2';
import * as kms from '@aws-sdk/client-kms';
import * as secretsManager from '@aws-sdk/client-secrets-manager';
import * as ssm from '@aws-sdk/client-ssm';
import type { CallError } from './core/cloud-sim-core.ts';
import { kmsErrorOf } from './core/kms/errors.ts';
import { KMS_PREFIX } from './core/kms/index.ts';
import { secretsErrorOf } from './core/secrets/errors.ts';
import { SECRETS_PREFIX, SSM_PREFIX } from './core/secrets/index.ts';
import { jsonProtocol } from './http/protocols/json.ts';
import type { Protocol } from './http/protocols/protocol.ts';
import { queryProtocol } from './http/protocols/query.ts';

/** One AWS service at the endpoint. */
export interface Service {
  /** Its name in the signature of requests. */
  readonly name: string;
  /** Before its actions in faults, denied actions and the event log. */
  readonly prefix: string;
  /** The SDK's client module: the service model is in it. */
  readonly model: Readonly<Record<string, unknown>>;
  readonly protocol: Protocol;
  /** The core's refusal, which is in EC2's words, in the service's words. */
  readonly inOwnWords: (error: CallError) => CallError;
}

const modelOf = (client: unknown): Service['model'] => client as Service['model'];

/**
 * Another service is a folder in `core/` with its handlers (named in `core/actions/index.ts`) and a
 * line here. Asked in this order who a request is for. EC2 comes last: whatever is nobody else's is
 * its.
 */
export const SERVICES: readonly Service[] = [
  {
    ...{ name: 'kms', prefix: KMS_PREFIX, model: modelOf(kms) },
    ...{ protocol: jsonProtocol('TrentService', '1.1'), inOwnWords: kmsErrorOf },
  },
  {
    ...{ name: 'ssm', prefix: SSM_PREFIX, model: modelOf(ssm) },
    ...{ protocol: jsonProtocol('AmazonSSM', '1.1'), inOwnWords: secretsErrorOf },
  },
  {
    ...{ name: 'secretsmanager', prefix: SECRETS_PREFIX, model: modelOf(secretsManager) },
    ...{ protocol: jsonProtocol('secretsmanager', '1.1'), inOwnWords: secretsErrorOf },
  },
  {
    ...{ name: 'ec2', prefix: '', model: modelOf(ec2) },
    ...{ protocol: queryProtocol('2016-11-15'), inOwnWords: (error) => error },
  },
];
