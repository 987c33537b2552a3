import { historyRecord } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { historyText } from './history-view.ts';

test('who stopped the old instance stands beside why it was recovered', () => {
  const deed = { action: 'StopInstances', by: 'arn:x', atWallMs: 0, requestId: 'r-1', eventId: 'e-1', isOurs: false };
  const text = historyText([historyRecord('db/one', 'i-old', { deeds: [deed] })], 100);
  expect(text).toContain('StopInstances of i-old by arn:x at 1970-01-01T00:00:00.000Z, request r-1 (CloudTrail;');
  expect(historyText([historyRecord('db/one', 'i-old')], 100)).not.toContain('CloudTrail');
});
