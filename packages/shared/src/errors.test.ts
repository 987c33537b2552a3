import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, errorText, hasCode, isOperationError, OperationError } from './errors.ts';

describe('an operation error', () => {
  it('carries code, handling, the other side’s code and its cause', () => {
    const cause = new Error('socket closed');
    const error = new OperationError('CLOUD_OUTCOME_UNKNOWN', 'RunInstances', { cause, upstreamCode: 'TimeoutError' });
    expect(error).toMatchObject({ retry: 'observe', upstreamCode: 'TimeoutError', cause });
    expect(error.message).toBe('CLOUD_OUTCOME_UNKNOWN: RunInstances');
    expect([isOperationError(error), hasCode(error, 'CLOUD_OUTCOME_UNKNOWN'), hasCode(error, 'CLOUD_DENIED')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('explains itself to an operator: meaning and remedy for every code', () => {
    for (const [code, entry] of Object.entries(ERROR_TABLE)) {
      const text = new OperationError(code as keyof typeof ERROR_TABLE, '').explain();
      expect(text).toBe(`${entry.meaning}; ${entry.remedy}`);
      expect(entry.meaning.length * entry.remedy.length, code).toBeGreaterThan(0);
    }
  });

  it('an unknown outcome is never plainly retryable', () => {
    const unknown = Object.entries(ERROR_TABLE).filter(([code]) => code.endsWith('OUTCOME_UNKNOWN'));
    expect(unknown.map(([, { retry }]) => retry)).toEqual(['observe', 'observe']);
  });

  it('is not confused with other errors, and any thrown thing has one line of text', () => {
    expect([isOperationError(new Error('x')), isOperationError('x'), isOperationError(null)]).toEqual([
      false,
      false,
      false,
    ]);
    expect([errorText(new Error('x')), errorText('y'), errorText(null)]).toEqual(['x', 'y', 'null']);
  });
});
