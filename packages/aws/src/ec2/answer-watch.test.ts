import { RecordingLog } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { ForeignAnswer } from '../answers/own-answer.ts';
import { AnswerWatch } from './answer-watch.ts';

function scene() {
  const log = new RecordingLog();
  const watch = new AnswerWatch(log);
  let next: unknown = {};
  const send = watch.watched(() =>
    next instanceof Error ? Promise.reject(next) : Promise.resolve(next as Record<string, unknown>),
  );
  const answer = async (action: string, value: unknown) => {
    next = value;
    await send(action, {}).catch(() => undefined);
  };
  return { log, watch, answer };
}
const foreign = () => new ForeignAnswer('HTTP 403 (text/html): its body is a <html>, not an EC2 error', 403);

test('a run of foreign answers is logged when it begins and when it ends, counted, and a problem while it lasts', async () => {
  const { log, watch, answer } = scene();
  for (let i = 0; i < 5; i++) await answer('StopInstances', foreign());
  expect(log.events()).toEqual(['ec2.answer_foreign']);
  expect(watch.totals.get('StopInstances')).toBe(5);
  expect(watch.problem()).toMatchObject({
    code: 'CLOUD_ANSWERS_FOREIGN',
    text: 'StopInstances: HTTP 403 (text/html): its body is a <html>, not an EC2 error (5 in a row)',
  });
  await answer('StopInstances', {});
  expect(watch.problem()).toBeNull();
  expect(log.linesOf('ec2.answers_own_again')[0]?.fields).toMatchObject({ foreignCount: 5 });
  await answer('StopInstances', foreign());
  expect(log.linesOf('ec2.answer_foreign')).toHaveLength(2);
});

test('a refusal of EC2 ends it, a timeout does not', async () => {
  const { watch, answer } = scene();
  await answer('StopInstances', foreign());
  await answer('StopInstances', Object.assign(new Error('t'), { name: 'TimeoutError' }));
  expect(watch.problem()).not.toBeNull();
  await answer('StopInstances', Object.assign(new Error('no'), { $fault: 'client', $metadata: {} }));
  expect(watch.problem()).toBeNull();
});

test('actions count by themselves', async () => {
  const { watch, answer } = scene();
  await answer('StopInstances', foreign());
  await answer('RunInstances', foreign());
  await answer('DescribeInstances', {});
  expect(watch.problem()?.text).toContain('the same for 1 more actions');
  await answer('StopInstances', {});
  expect(watch.problem()?.text).toMatch(/^RunInstances: /);
});
