import { describe, expect, it } from 'vitest';
import { canonical } from './canonical.ts';
import { differences } from './diff.ts';
import { parsePath, pathText, valuesAt } from './field-path.ts';
import { KINDS, kindNamed } from './kinds/registered.ts';
import { namedIn } from './related.ts';

const instance = kindNamed('instance');

describe('the canonical form of an answer', () => {
  it('is the same whatever the order of members, tags, groups, disks and interfaces', () => {
    const one = {
      InstanceId: 'i-1',
      Tags: [
        { Key: 'b', Value: '2' },
        { Key: 'a', Value: '1' },
      ],
      SecurityGroups: [
        { GroupName: 'web', GroupId: 'sg-2' },
        { GroupId: 'sg-1', GroupName: 'db' },
      ],
      BlockDeviceMappings: [{ DeviceName: '/dev/sdf' }, { DeviceName: '/dev/sda1' }],
      Names: ['z', 'a'],
    };
    const other = {
      Names: ['a', 'z'],
      BlockDeviceMappings: one.BlockDeviceMappings.toReversed(),
      SecurityGroups: one.SecurityGroups.toReversed(),
      Tags: one.Tags.toReversed(),
      InstanceId: 'i-1',
    };
    expect(JSON.stringify(canonical(one, []))).toBe(JSON.stringify(canonical(other, [])));
  });

  it('takes what is absent, null or empty for the same', () => {
    expect(canonical({ A: undefined, B: null, C: [], D: {}, E: '', $metadata: { requestId: 'x' } }, [])).toEqual({
      E: '',
    });
  });

  it('has moments as texts and tags as members', () => {
    const raw = { LaunchTime: new Date(0), Tags: [{ Key: 'understudy:group', Value: 'db' }, { Key: 'empty' }] };
    expect(canonical(raw, [])).toEqual({
      LaunchTime: '1970-01-01T00:00:00.000Z',
      Tags: { empty: '', 'understudy:group': 'db' },
    });
  });

  it('leaves out what changes by itself, at its place only', () => {
    const raw = { Progress: '3%', Inner: { Progress: '4%' }, List: [{ At: 1, Id: 'x' }] };
    expect(canonical(raw, [['Progress'], ['List', '*', 'At']])).toEqual({
      Inner: { Progress: '4%' },
      List: [{ Id: 'x' }],
    });
    expect(canonical(raw, [['Inner', 'Progress']])).toEqual({ Progress: '3%', List: [{ At: 1, Id: 'x' }] });
  });

  it('keeps the state of an instance and its reason, without the text that has a time in it', () => {
    const raw = {
      State: { Name: 'stopped' },
      StateReason: { Code: 'Client.UserInitiatedShutdown' },
      StateTransitionReason: 'User initiated (2026-11-29 02:10:17 GMT)',
    };
    expect(canonical(raw, instance?.volatile ?? [])).toEqual({ State: raw.State, StateReason: raw.StateReason });
  });
});

describe('kinds', () => {
  it('have names of their own', () => {
    expect(new Set(KINDS.map(({ name }) => name)).size).toBe(11);
  });

  it('name a record set by zone, name, type and set', () => {
    const record = kindNamed('record');
    expect(record?.idOf({ Name: 'db.example.', Type: 'A', SetIdentifier: 'one' }, 'Z1')).toBe('Z1/db.example./A/one');
    expect(record?.idOf({ Name: 'db.example.', Type: 'A' }, 'Z1')).toBe('Z1/db.example./A');
    expect(record?.idOf({ Type: 'A' }, 'Z1')).toBe(null);
  });
});

describe('paths', () => {
  it.each(['State.Name', 'Tags[aws:a.b].c', 'A', '[a.b]'])('%s is read and written', (text) => {
    expect(pathText(parsePath(text) ?? [])).toBe(text);
  });

  it.each(['', '.', 'a..b', 'a[', 'a]', '.a'])('"%s" is none', (text) => {
    expect(parsePath(text)).toBe(null);
  });

  it('lead into every item of a list, or the one that is named', () => {
    const document = {
      List: [
        { DeviceName: 'a', V: 1 },
        { DeviceName: 'b', V: 2 },
      ],
    };
    expect(valuesAt(document, ['List', 'V'])).toEqual([1, 2]);
    expect(valuesAt(document, ['List', 'b', 'V'])).toEqual([2]);
    expect(valuesAt(document, ['toString'])).toEqual([]);
  });
});

describe('what a document names', () => {
  it('is found wherever it stands, each once', () => {
    const document = { A: 'vol-0123456789abcdef0', B: [{ C: 'eni-01234567' }, 'vol-0123456789abcdef0', 'vol-xyz'] };
    expect(namedIn(document)).toEqual([
      { kind: 'interface', id: 'eni-01234567' },
      { kind: 'volume', id: 'vol-0123456789abcdef0' },
    ]);
  });
});

describe('differences', () => {
  it('compare lists without names as a whole', () => {
    expect(differences({ A: ['x', 'y'] }, { A: ['x'] })).toEqual([{ path: 'A', before: ['x', 'y'], after: ['x'] }]);
  });

  it('name a tag with dots in brackets', () => {
    const tags = (value: string) => ({ Tags: { 'a.b': value } });
    expect(differences(tags('1'), tags('2'))).toEqual([{ path: 'Tags[a.b]', before: '1', after: '2' }]);
  });
});
