import { rawOf } from '@understudy/shared';
import { policyEvaluator } from '../authorization/policy-evaluator.ts';
import type { SimQueue } from './queue.ts';

/**
 * Whether a service of AWS may send to the queue for its own resource: the queue's policy has to
 * let it in.
 */
export function mayServiceSend(service: string, sourceArn: string, { arn, settings: { policy } }: SimQueue): boolean {
  if (policy === null) return false;
  const statements = rawOf(JSON.parse(policy)).Statement;
  const theirs = (Array.isArray(statements) ? statements : []).filter(
    (one) => rawOf(rawOf(one).Principal).Service === service,
  );
  return policyEvaluator([{ Statement: theirs }])({
    ...{ principal: service, action: 'sqs:SendMessage', resource: arn },
    context: { 'aws:SourceArn': sourceArn },
  });
}
