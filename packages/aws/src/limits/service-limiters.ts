import type { BucketLimit, Problem } from '@understudy/shared';
import { EC2_ACTIONS, ec2CallRates } from '../ec2/actions.ts';
import { ELBV2_ACTIONS } from '../elbv2/actions.ts';
import { elbv2CallRates } from '../elbv2/rates.ts';
import { EVENTBRIDGE_ACTIONS } from '../eventbridge/actions.ts';
import { eventBridgeCallRates } from '../eventbridge/rates.ts';
import { KMS_ACTIONS } from '../kms/actions.ts';
import { kmsCallRates } from '../kms/rates.ts';
import { type ActionState, CallLimiter, type CallLimiterOptions } from '../limiter/call-limiter.ts';
import type { CallRates } from '../limiter/call-rates.ts';
import { ROUTE53_ACTIONS } from '../route53/actions.ts';
import { route53CallRates } from '../route53/rates.ts';
import { SECRETS_MANAGER_ACTIONS } from '../secretsmanager/actions.ts';
import { secretsManagerCallRates } from '../secretsmanager/rates.ts';
import { SNS_ACTIONS } from '../sns/actions.ts';
import { snsCallRates } from '../sns/rates.ts';
import { SQS_ACTIONS } from '../sqs/actions.ts';
import { sqsCallRates } from '../sqs/rates.ts';
import { SSM_ACTIONS } from '../ssm/actions.ts';
import { ssmCallRates } from '../ssm/rates.ts';

interface LimitedServiceFacts {
  /** For people. */
  readonly name: string;
  readonly actions: Readonly<Record<string, unknown>>;
  readonly ratesOf: (action: string) => CallRates;
}

/** Services whose calls wait at a limiter. A further one is one line. */
const LIMITED = {
  ec2: { name: 'EC2', actions: EC2_ACTIONS, ratesOf: ec2CallRates },
  route53: { name: 'Route 53', actions: ROUTE53_ACTIONS, ratesOf: route53CallRates },
  elbv2: { name: 'Elastic Load Balancing', actions: ELBV2_ACTIONS, ratesOf: elbv2CallRates },
  sns: { name: 'SNS', actions: SNS_ACTIONS, ratesOf: snsCallRates },
  eventbridge: { name: 'EventBridge', actions: EVENTBRIDGE_ACTIONS, ratesOf: eventBridgeCallRates },
  sqs: { name: 'SQS', actions: SQS_ACTIONS, ratesOf: sqsCallRates },
  kms: { name: 'KMS', actions: KMS_ACTIONS, ratesOf: kmsCallRates },
  ssm: { name: 'Systems Manager', actions: SSM_ACTIONS, ratesOf: ssmCallRates },
  secretsmanager: { name: 'Secrets Manager', actions: SECRETS_MANAGER_ACTIONS, ratesOf: secretsManagerCallRates },
} as const satisfies Readonly<Record<string, LimitedServiceFacts>>;

export type LimitedService = keyof typeof LIMITED;

const ALL = Object.values(LIMITED);
/** An action that one of the limiters knows the rate of. */
export const isLimitedAction = (action: string): boolean => ALL.some(({ actions }) => Object.hasOwn(actions, action));

/** The limiters of one account and Region, one a service, by the documented rates. */
export class ServiceLimiters {
  readonly #options: Omit<CallLimiterOptions, 'ratesOf' | 'service'>;
  readonly #made = new Map<LimitedService, CallLimiter>();

  constructor(options: Omit<CallLimiterOptions, 'ratesOf' | 'service'>) {
    this.#options = options;
  }

  /** What all calls to the service wait at: always the same one. */
  of(service: LimitedService): CallLimiter {
    const known = this.#made.get(service);
    if (known) return known;
    const { name, ratesOf } = LIMITED[service];
    const made = new CallLimiter({ ...this.#options, service: name, ratesOf });
    this.#made.set(service, made);
    return made;
  }

  /** Our share of what AWS allows of an action. Null: no limiter knows it. */
  limitOf(action: string): BucketLimit | null {
    for (const service of Object.keys(LIMITED) as LimitedService[])
      if (Object.hasOwn(LIMITED[service].actions, action)) return this.of(service).limitOf(action);
    return null;
  }

  /** How things stand with every action that was used. */
  states(): readonly ActionState[] {
    return [...this.#made.values()].flatMap((one) => one.states());
  }

  /** That of the first service where calls of recoveries have waited for a minute. */
  problem(): Problem | null {
    for (const one of this.#made.values()) {
      const problem = one.problem();
      if (problem) return problem;
    }
    return null;
  }
}
