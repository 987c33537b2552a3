import { type KeysView, type MemberId, OperationError } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import type { CoordinatorClient } from '@understudy/shared/node';
import { keysText } from '../views/keys-view.ts';
import { type CoordinatorKeys, keyStatusOf, readKeyStatus, retirementAnswer } from './key-status.ts';

type Heard = number | 'retired' | null;

/**
 * A coordinator that accepts `ids` (`2x`: another secret under id 2) and hears members as `heard`
 * says.
 */
function coordinator(
  coordinatorId: string,
  ids: readonly string[],
  heard: Readonly<Record<MemberId, Heard>>,
  more: Partial<KeysView> & { readonly userDataKeyId?: number } = {},
): CoordinatorKeys {
  const { userDataKeyId = null, ...view } = more;
  const members = Object.entries(heard).map(([member, keyId]) => ({
    member: member as MemberId,
    instanceId: 'i-1',
    state: keyId === null ? ('none' as const) : keyId === 'retired' ? ('retired' as const) : ('heard' as const),
    keyId: typeof keyId === 'number' ? keyId : null,
    lastHeardAgoMs: keyId === null ? null : 400,
    userDataKeyId,
  }));
  const accepted = ids.map((id) => ({ id: Number.parseInt(id, 10), fingerprint: `fp-${id}` }));
  return {
    coordinatorId,
    view: { coordinatorId, accepted, refused: null, unknownKeyDatagrams: 0, members, ...view },
  };
}

const three = (ids: readonly string[], heard: Readonly<Record<MemberId, Heard>>) =>
  ['c1', 'c2', 'c3'].map((id) => coordinator(id, ids, heard));
const reasons = (coordinators: readonly CoordinatorKeys[], id: number) =>
  retirementAnswer(keyStatusOf(coordinators), id).because;

describe('may a key id be retired?', () => {
  it('yes, when every member speaks with the other one to everybody, and everybody holds the same', () => {
    const status = keyStatusOf(three(['1', '2'], { 'g/a': 2, 'g/b': 2 }));
    expect(retirementAnswer(status, 1)).toEqual({ id: 1, safe: true, because: [] });
    expect(status.problems).toEqual([]);
    expect(retirementAnswer(status, 2).because).toEqual(['members g/a, g/b still use id 2']);
  });

  it('no, while members still use it, also if it is to one coordinator only', () => {
    const c2 = coordinator('c2', ['1', '2'], { 'g/a': 1, 'g/b': 2 });
    const coordinators = [coordinator('c1', ['1', '2'], { 'g/a': 2, 'g/b': 2 }), c2];
    expect(reasons(coordinators, 1)).toEqual(['member g/a still uses id 1']);
  });

  it('no, while a coordinator does not know the other id', () => {
    const coordinators = [
      coordinator('c1', ['1', '2'], { 'g/a': 2 }),
      coordinator('c2', ['1'], { 'g/a': 1 }),
      coordinator('c3', ['1', '2'], { 'g/a': 2 }),
    ];
    expect(reasons(coordinators, 1)).toEqual(['member g/a still uses id 1', 'c2 does not know id 2']);
  });

  it('no, when coordinators hold different secrets under the other id; that is a problem by itself', () => {
    const coordinators = [coordinator('c1', ['1', '2'], { 'g/a': 2 }), coordinator('c2', ['1', '2x'], { 'g/a': 2 })];
    expect(reasons(coordinators, 1)).toEqual(['coordinators hold different secrets for id 2']);
    expect(keyStatusOf(coordinators).problems).toEqual(['coordinators hold different secrets for id 2']);
  });

  it('no, when a coordinator does not answer', () => {
    const coordinators = [...three(['1', '2'], { 'g/a': 2 }), { coordinatorId: 'c4', view: null }];
    expect(reasons(coordinators, 1)).toEqual(['c4 did not answer']);
    expect(keyStatusOf(coordinators).problems).toEqual(['c4 did not answer']);
  });

  it('no, while a member is heard by nobody: it may come back with the old key', () => {
    expect(reasons(three(['1', '2'], { 'g/a': 2, 'g/b': null }), 1)).toEqual([
      'member g/b is heard by nobody and may hold nothing else',
    ]);
  });

  it('one coordinator that has not heard a member yet is no obstacle', () => {
    const coordinators = [coordinator('c1', ['1', '2'], { 'g/a': 2 }), coordinator('c2', ['1', '2'], { 'g/a': null })];
    expect(reasons(coordinators, 1)).toEqual([]);
  });

  it('no, when it is the only one, or unknown', () => {
    expect(reasons(three(['1'], { 'g/a': 1 }), 1)).toEqual(['it is the only key id there is']);
    expect(reasons(three(['1'], { 'g/a': 1 }), 9)).toEqual(['no coordinator accepts id 9']);
  });
});

describe('problems and notes', () => {
  it('a coordinator that refuses its files, and members whose key it no longer has', () => {
    const c1 = coordinator('c1', ['2'], { 'g/a': 'retired' }, { refused: 'cannot read m3' });
    expect(keyStatusOf([c1]).problems).toEqual([
      'c1 refuses the keys in its files: cannot read m3',
      'c1 no longer has the key of g/a, and does not judge it',
    ]);
  });

  it('user data with an older key than the member speaks with: its replacement relies on the root volume', () => {
    const leader = coordinator('c1', ['1', '2'], { 'g/a': 2 }, { userDataKeyId: 1 });
    const [note = ''] = keyStatusOf([leader, coordinator('c2', ['1', '2'], { 'g/a': 2 })]).notes;
    expect(note).toMatch(/g\/a.* id 1.*keys\.json/);
    expect(keyStatusOf([coordinator('c1', ['1'], { 'g/a': 1 }, { userDataKeyId: 1 })]).notes).toEqual([]);
    expect(keyStatusOf([coordinator('c1', ['2'], { 'g/a': null }, { userDataKeyId: 1 })]).notes.length).toBe(1);
  });
});

describe('reading it', () => {
  const client = (answers: Partial<CoordinatorClient>) => answers as CoordinatorClient;
  const clients: Record<string, CoordinatorClient> = {
    'http://first': client({
      status: async () =>
        ({
          coordinators: ['c2', 'c1'].map((id) => ({ coordinatorId: id, httpUrl: `http://${id}` })),
        }) as Awaited<ReturnType<CoordinatorClient['status']>>,
    }),
    'http://c1': client({ keys: async () => coordinator('c1', ['1'], { 'g/a': 1 }).view as KeysView }),
    'http://c2': client({
      keys: async () => {
        throw new OperationError('COORDINATOR_UNAVAILABLE', 'down');
      },
    }),
  };
  const clientOf = ([url = '']: readonly string[]) => clients[url] ?? client({});

  it('asks every coordinator the first one names; one that is down is shown as such', async () => {
    const status = await readKeyStatus(['http://first'], clientOf);
    expect(status.coordinators.map(({ coordinatorId, view }) => [coordinatorId, view !== null])).toEqual([
      ['c1', true],
      ['c2', false],
    ]);
  });

  it('is shown with one line per answer', () => {
    const text = keysText(
      keyStatusOf([coordinator('c1', ['1', '2'], { 'g/a': 1 }), coordinator('c2', ['1'], { 'g/a': 1 })]),
    );
    expect(text).toContain('1 (fp-1), 2 (fp-2)');
    expect(text).toContain('safe to retire id 1: no, because member g/a still uses id 1; c2 does not know id 2');
    expect(text).toContain('safe to retire id 2: yes');
    expect(keysText(keyStatusOf(three(['1'], { 'g/a': 1 })))).toContain('there is nothing to retire');
  });
});
