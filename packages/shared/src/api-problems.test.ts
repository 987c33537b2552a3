import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { API_PROBLEMS, type ApiProblemCode, problemDetails, ProblemDetailsSchema } from './api-problems.ts';

const PAGE = new URL('../../../docs/errors.md', import.meta.url);
const codes = Object.keys(API_PROBLEMS) as ApiProblemCode[];

describe('the catalogue of refusals', () => {
  test.each(codes)('%s becomes problem details of RFC 9457', (code) => {
    const details = problemDetails(code, 'in this case', 'r-1');
    expect(ProblemDetailsSchema.parse(details)).toEqual(details);
    expect(details).toMatchObject({ type: `/v1/errors#${code}`, code, detail: 'in this case', instance: 'r-1' });
  });

  test('stands in docs/errors.md: every code, with the same status, meaning and remedy, and no other', () => {
    const rows = readFileSync(PAGE, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const wanted = codes.map((code) => {
      const { status, title, remedy, retryable } = API_PROBLEMS[code];
      return `| \`${code}\` | ${status} | ${title} | ${remedy} | ${retryable ? 'yes' : 'no'} |`;
    });
    expect(rows.toSorted()).toEqual(wanted.toSorted());
  });
});
