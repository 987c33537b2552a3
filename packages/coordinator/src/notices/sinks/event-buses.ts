import { type EventBus, NOTICE_EVENT_SOURCE } from '@understudy/shared';
import * as z from 'zod';
import type { NoticeMessage } from '../sink.ts';
import { deliveryOf } from './cloud-delivery.ts';
import { SINK_FIELDS, type SinkKind } from './sink-kind.ts';

const schema = z.strictObject({
  ...SINK_FIELDS,
  /** ARN of the bus, which says its Region. */
  arn: z
    .string()
    .regex(
      /^arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/[\w./-]{1,256}$/,
      'want the ARN of a bus of EventBridge',
    ),
});

/**
 * EventBridge takes events for a bus that does not exist, and drops them. So the bus is looked at
 * before each: notices are rare, and one that is lost is not missed by anybody.
 */
async function put(bus: EventBus, message: NoticeMessage, signal: AbortSignal): Promise<void> {
  await bus.mustExist({ signal });
  const { kind: detailType, body: detail, atWallMs } = message;
  await bus.put({ source: NOTICE_EVENT_SOURCE, detailType, detail, atWallMs }, { signal });
}

/** Buses of EventBridge. */
export const eventBuses = {
  schema,
  failing: 'EVENT_BUS_FAILING',
  open: ({ arn, timeoutMs }, ports) => {
    const bus = ports.eventBus(arn, timeoutMs);
    return (message, signal) => deliveryOf(put(bus, message, signal));
  },
} satisfies SinkKind<z.infer<typeof schema>, typeof schema>;
