import type { MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { readinessProblem } from './readiness-problem.ts';

const member = (...codes: readonly string[]) => ({
  record: { readinessProblems: codes.map((code) => ({ code, text: 'words' })) },
});

describe('members that are not ready', () => {
  it('are no problem while there are none', () => {
    expect(readinessProblem(new Map([['g/a', member()]]))).toBeNull();
  });

  it('are one problem, each with its codes, the first five by name', () => {
    const members = new Map<MemberId, ReturnType<typeof member>>([
      ['g/a', member()],
      ...Array.from(
        { length: 7 },
        (_, i) => [`g/b${i}`, member('KeyPairGone', 'NoPlacement')] as [MemberId, ReturnType<typeof member>],
      ),
    ]);
    expect(readinessProblem(members)).toEqual({
      code: 'MEMBERS_NOT_READY',
      text: expect.stringMatching(/^g\/b0 \(KeyPairGone, NoPlacement\), .*g\/b4 .* and 2 more$/),
      remedy: expect.stringContaining('explain'),
    });
  });
});
