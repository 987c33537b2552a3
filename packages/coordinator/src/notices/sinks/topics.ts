import type { TopicMessage } from '@understudy/shared';
import * as z from 'zod';
import type { NoticeMessage } from '../sink.ts';
import { deliveryOf } from './cloud-delivery.ts';
import { SINK_FIELDS, type SinkKind } from './sink-kind.ts';

const schema = z.strictObject({
  ...SINK_FIELDS,
  /** ARN of the topic, which says its Region, and by `.fifo` at its end that it keeps an order. */
  arn: z
    .string()
    .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,251}(?:\.fifo)?$/, 'want the ARN of a topic of SNS'),
});

/** What is about one member stays in order for it; else for its group; else for all. */
const orderedBy = ({ group, members, memberCount }: NoticeMessage): string =>
  (memberCount === 1 ? members[0] : undefined) ?? group ?? 'understudy';

/** The message of a notice. Pure. */
export function topicMessage(message: NoticeMessage): TopicMessage {
  const { id, kind, severity, group, members, memberCount, what, body } = message;
  const [only] = members;
  return {
    ...{ id, body, subject: `[${severity}] ${what}`, orderedBy: orderedBy(message) },
    attributes: {
      ...{ type: kind, severity },
      ...(group !== null && { group }),
      ...(memberCount === 1 && only !== undefined && { member: only }),
    },
  };
}

/** Topics of SNS. */
export const topics = {
  schema,
  failing: 'TOPIC_FAILING',
  open: ({ arn, timeoutMs }, ports) => {
    const topic = ports.topic(arn, timeoutMs);
    return (message, signal) => deliveryOf(topic.publish(topicMessage(message), { signal }));
  },
} satisfies SinkKind<z.infer<typeof schema>, typeof schema>;
