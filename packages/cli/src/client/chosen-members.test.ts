import { hasCode, type MemberId, type MembersView, OperationError } from '@understudy/shared';
import { expect, test } from 'vitest';
import type { CoordinatorClient } from '@understudy/shared/node';
import { exitCodeOf } from '../exit-codes.ts';
import { chosenMembers, explainMember } from './chosen-members.ts';

const viewOf = (...names: MemberId[]) =>
  ({ members: names.map((member) => ({ member })), notEnrolled: [] }) as unknown as MembersView;
const VIEW = viewOf('orders/db-1', 'orders/db-2', 'billing/licence');
const namesOf = (view: MembersView) => view.members.map(({ member }) => member);

function refusal(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('not refused');
}

test('a group, one member, or all', () => {
  expect(namesOf(chosenMembers(VIEW, undefined))).toHaveLength(3);
  expect(namesOf(chosenMembers(VIEW, 'orders'))).toEqual(['orders/db-1', 'orders/db-2']);
  expect(namesOf(chosenMembers(VIEW, 'orders/db-2'))).toEqual(['orders/db-2']);
});

test.each([
  ['orders/db1', 'no member orders/db1 is known: no such member; did you mean orders/db-1 or orders/db-2?'],
  ['order5', 'no member or group order5 is known: no such member or group; did you mean orders?'],
  ['orders/db', 'orders/db may mean 2: orders/db-1, orders/db-2'],
  ['licence', 'no member or group licence is known: no such member or group; did you mean billing/licence?'],
  ['zebra/x', 'no member zebra/x is known: no such member; there are 3 others'],
])('%s is refused, exit code 1: %s', (asked, text) => {
  const error = refusal(() => chosenMembers(VIEW, asked));
  expect(String(error)).toContain(text);
  expect([hasCode(error, 'MEMBER_UNKNOWN'), exitCodeOf(error)]).toEqual([true, 1]);
});

test('the beginning of a name will do where no other begins so', async () => {
  expect(namesOf(chosenMembers(VIEW, 'bil'))).toEqual(['billing/licence']);
  expect(namesOf(chosenMembers(VIEW, 'billing/l'))).toEqual(['billing/licence']);
  const asked: string[] = [];
  const explain = async (member: MemberId) => {
    asked.push(member);
    if (member !== 'billing/licence') throw new OperationError('MEMBER_UNKNOWN', `no member ${member}`);
  };
  const client = { explain, members: async () => VIEW.members } as unknown as CoordinatorClient;
  await explainMember(client, 'billing/li');
  expect(asked).toEqual(['billing/li', 'billing/licence']);
});

test('no members at all is said as that, and never "tag an instance" for a mistyped name', () => {
  expect(String(refusal(() => chosenMembers(viewOf(), 'orders')))).toContain('there are no members at all');
});

test('explain of a mistyped name, or of what is no name, says what may have been meant', async () => {
  const asked: string[] = [];
  const client = {
    explain: async (member: MemberId) => {
      asked.push(member);
      throw new OperationError('MEMBER_UNKNOWN', `no member ${member}`);
    },
    members: async () => VIEW.members,
  } as unknown as CoordinatorClient;
  for (const text of ['orders/db1', 'ORDERS/DB-1', 'orders/db-1/x', 'db-1'])
    await expect(explainMember(client, text), text).rejects.toThrow(/did you mean .*orders\/db-1/);
  expect(asked).toEqual(['orders/db1']);
});
