import { describe, expect, it } from 'vitest';
import { receiveBufferProblem } from './receive-buffer-problem.ts';

const LINUX_DEFAULT_BYTES = 212_992;
const WANTED_BYTES = 4_194_304;
const problem = (grantedBytes: number | undefined, agentCount: number) =>
  receiveBufferProblem(
    {
      socket: grantedBytes === undefined ? {} : { receiveBufferBytes: grantedBytes },
      config: { udp: { receiveBufferBytes: WANTED_BYTES } },
    },
    agentCount,
  );

describe('a receive buffer that the kernel clipped', () => {
  it('is a problem from as many agents on as fill it in a second', () => {
    expect(problem(LINUX_DEFAULT_BYTES, 512)).toBeNull();
    expect(problem(LINUX_DEFAULT_BYTES, 513)?.code).toBe('RECEIVE_BUFFER_SMALL');
    expect(problem(LINUX_DEFAULT_BYTES, 10_000)).toMatchObject({
      text: 'the kernel granted 212992 of 4194304 bytes for heartbeats: 512 of them, 0.05 s of 10000 agents',
      remedy: expect.stringContaining('net.core.rmem_max'),
    });
  });

  it('is none where all was granted, or where there is no such buffer', () => {
    expect(problem(WANTED_BYTES, 1_000_000)).toBeNull();
    expect(problem(WANTED_BYTES + 1, 1_000_000)).toBeNull();
    expect(problem(undefined, 1_000_000)).toBeNull();
  });
});
