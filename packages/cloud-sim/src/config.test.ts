import { parseConfig } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import { CloudSimConfigSchema } from './config.ts';

const parse = (text: string) => parseConfig(CloudSimConfigSchema, text, 'sim.yaml');

test('only the work folder must be given', () => {
  expect(parse('workDir: /tmp/x')).toMatchObject({
    region: 'us-east-1',
    speed: 1,
    seed: 1,
    http: { host: '127.0.0.1', port: 4_566 },
    machine: { command: [] },
    imds: { host: '127.0.0.1' },
  });
});

test('unknown keys, unknown latencies and reversed ranges are refused by name, with both numbers', () => {
  expect(() => parse('workDir: /tmp/x\nspeeed: 3')).toThrow(/CONFIG_INVALID.*speeed/s);
  expect(() => parse('workDir: /tmp/x\nlatency: { instance.pendig: [1, 2] }')).toThrow(
    /unknown latency instance.pendig/,
  );
  expect(() => parse('workDir: /tmp/x\nlatency: { instance.pending: [9, 2] }')).toThrow(/minimum 9 is above maximum 2/);
  expect(parse('workDir: /tmp/x\nlatency: { api.CreateTags.response: [1, 2] }').latency).toEqual({
    'api.CreateTags.response': [1, 2],
  });
});
