import * as ec2 from '@aws-sdk/client-ec2';
import * as elbv2 from '@aws-sdk/client-elastic-load-balancing-v2';
import * as eventBridge from '@aws-sdk/client-eventbridge';
import * as kms from '@aws-sdk/client-kms';
import * as route53 from '@aws-sdk/client-route-53';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as secretsManager from '@aws-sdk/client-secrets-manager';
import * as ssm from '@aws-sdk/client-ssm';
import type { CallError } from './core/cloud-sim-core.ts';
import { elbv2ErrorOf } from './core/elbv2/errors.ts';
import { ELBV2_PREFIX } from './core/elbv2/index.ts';
import { EVENTBRIDGE_PREFIX } from './core/eventbridge/index.ts';
import { inJsonWords } from './core/json-words.ts';
import { KMS_PREFIX } from './core/kms/index.ts';
import { route53ErrorOf } from './core/route53/errors.ts';
import { ROUTE53_PATH, ROUTE53_PREFIX } from './core/route53/index.ts';
import { SECRETS_PREFIX, SSM_PREFIX } from './core/secrets/index.ts';
import { snsErrorOf } from './core/sns/errors.ts';
import { SNS_PREFIX } from './core/sns/index.ts';
import { sqsErrorOf } from './core/sqs/errors.ts';
import { SQS_PREFIX } from './core/sqs/index.ts';
import { jsonProtocol } from './http/protocols/json.ts';
import type { Protocol } from './http/protocols/protocol.ts';
import { plainQueryProtocol } from './http/protocols/plain-query.ts';
import { queryProtocol } from './http/protocols/query.ts';
import { restXmlProtocol } from './http/protocols/rest-xml.ts';

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
    ...{ protocol: jsonProtocol('TrentService', '1.1'), inOwnWords: inJsonWords('KMSInternalException') },
  },
  {
    ...{ name: 'ssm', prefix: SSM_PREFIX, model: modelOf(ssm) },
    ...{ protocol: jsonProtocol('AmazonSSM', '1.1'), inOwnWords: inJsonWords('InternalServerError') },
  },
  {
    ...{ name: 'secretsmanager', prefix: SECRETS_PREFIX, model: modelOf(secretsManager) },
    ...{ protocol: jsonProtocol('secretsmanager', '1.1'), inOwnWords: inJsonWords('InternalServerError') },
  },
  {
    ...{ name: 'sqs', prefix: SQS_PREFIX, model: modelOf(sqs) },
    ...{ protocol: jsonProtocol('AmazonSQS', '1.0'), inOwnWords: sqsErrorOf },
  },
  {
    ...{ name: 'events', prefix: EVENTBRIDGE_PREFIX, model: modelOf(eventBridge) },
    ...{ protocol: jsonProtocol('AWSEvents', '1.1'), inOwnWords: inJsonWords('InternalException') },
  },
  {
    ...{ name: 'sns', prefix: SNS_PREFIX, model: modelOf(sns), inOwnWords: snsErrorOf },
    protocol: plainQueryProtocol({
      ...{ version: '2010-03-31', namespace: 'http://sns.amazonaws.com/doc/2010-03-31/', prefix: SNS_PREFIX },
    }),
  },
  {
    ...{ name: 'route53', prefix: ROUTE53_PREFIX, model: modelOf(route53), inOwnWords: route53ErrorOf },
    protocol: restXmlProtocol({
      ...{ path: ROUTE53_PATH, namespace: 'https://route53.amazonaws.com/doc/2013-04-01/' },
      ...{ prefix: ROUTE53_PREFIX, model: modelOf(route53) },
    }),
  },
  {
    ...{ name: 'elasticloadbalancing', prefix: ELBV2_PREFIX, model: modelOf(elbv2), inOwnWords: elbv2ErrorOf },
    protocol: plainQueryProtocol({
      ...{ version: '2015-12-01', namespace: 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/' },
      prefix: ELBV2_PREFIX,
    }),
  },
  {
    ...{ name: 'ec2', prefix: '', model: modelOf(ec2) },
    ...{ protocol: queryProtocol('2016-11-15'), inOwnWords: (error) => error },
  },
];
