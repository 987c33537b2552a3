import { DEFAULT_POLICY, type KmsKey } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { planFixture, planInputFixture, volumeFixture } from './plan.fixture.ts';
import { makePlan, readinessProblemsOf } from './plan.ts';
import { UNKNOWN_REFERENCES } from './references.ts';
import { endedForKey, keyAdvice, type KeyFacts, keysOf, type KeyStanding, standingOf } from './volume-keys.ts';

/** The key of vol-data in the plan's fixture. */
const KEY = 'arn:aws:kms:::key/1';
const key = (change: Partial<KmsKey>): KmsKey => ({
  ...{ keyId: '1', arn: KEY, state: 'Enabled', manager: 'CUSTOMER', deletionAtWallMs: null },
  ...change,
});
const facts = (standing: KeyStanding): KeyFacts => new Map([[KEY, standing]]);
const inputWith = (standing: KeyStanding) =>
  planInputFixture({ references: { ...UNKNOWN_REFERENCES, routes: [], keys: facts(standing) } });
const problemsWith = (standing: KeyStanding) => readinessProblemsOf(makePlan(inputWith(standing), DEFAULT_POLICY));
const keyLosses = (standing: KeyStanding) =>
  planFixture(inputWith(standing)).losses.filter((one) => one.code.startsWith('Kms'));

describe('the keys of volumes', () => {
  it('are those of the encrypted ones, each once', () => {
    const volumes = [
      volumeFixture({ volumeId: 'vol-1', encrypted: true, kmsKeyId: 'a' }),
      volumeFixture({ volumeId: 'vol-2', encrypted: true, kmsKeyId: 'a' }),
      volumeFixture({ volumeId: 'vol-3', encrypted: true, kmsKeyId: null }),
      volumeFixture({ volumeId: 'vol-4', encrypted: false, kmsKeyId: 'b' }),
    ];
    expect(keysOf(volumes)).toEqual(['a']);
  });

  it.each<readonly [Partial<KmsKey>, RegExp, RegExp]>([
    [{ state: 'Disabled' }, /is disabled/, /aws kms enable-key --key-id arn:aws:kms:::key\/1/],
    [
      { state: 'PendingDeletion', deletionAtWallMs: Date.UTC(2026, 11, 24) },
      /is going to be deleted at 2026-12-24T00:00:00.000Z/,
      /cancel-key-deletion/,
    ],
    [{ state: 'PendingReplicaDeletion' }, /once its replicas are/, /cancel-key-deletion/],
    [{ state: 'PendingImport' }, /without its key material/, /import-key-material/],
    [{ state: 'Unavailable' }, /key store that is not connected/, /Connect the custom key store/],
    [{ state: 'Creating' }, /still being made/, /passes by itself/],
  ])('%j refuses the recovery, names key, volumes and what to do', (change, what, remedy) => {
    const [problem, ...more] = problemsWith(standingOf(KEY, key(change)));
    expect(more).toEqual([]);
    expect(problem?.code).toBe('KmsKeyUnusable');
    expect(problem?.text).toContain('KMS key arn:aws:kms:::key/1 of vol-data is');
    expect(problem?.text).toMatch(what);
    expect(problem?.text).toMatch(remedy);
  });

  it('a key that is not there any more refuses it, too', () => {
    const [problem] = problemsWith(standingOf(KEY, null));
    expect(problem).toMatchObject({ code: 'KmsKeyUnusable', text: expect.stringMatching(/is not there any more/) });
  });

  it.each(['Enabled', 'Updating'])('%s is neither a problem nor a loss', (state) => {
    const standing = standingOf(KEY, key({ state }));
    expect(standing).toEqual({ kind: 'usable', manager: 'CUSTOMER' });
    expect([problemsWith(standing), keyLosses(standing)]).toEqual([[], []]);
  });

  it.each([standingOf(KEY, key({ state: 'Resting' })), { kind: 'unknown', why: 'KMS does not answer' } as const])(
    'one that is not known refuses nothing: it is said, as a problem and as a loss (%j)',
    (standing) => {
      expect(problemsWith(standing).map((one) => one.code)).toEqual(['KmsKeyNotChecked']);
      expect(keyLosses(standing).map((one) => one.code)).toEqual(['KmsKeyNotChecked']);
    },
  );

  it('one that nobody asked about is a loss, and no problem', () => {
    const input = planInputFixture();
    expect(readinessProblemsOf(makePlan(input, DEFAULT_POLICY))).toEqual([]);
    const [loss] = planFixture(input).losses.filter((one) => one.code === 'KmsKeyNotChecked');
    expect(loss?.text).toContain('nobody asked KMS');
  });
});

describe('a replacement ended for a key', () => {
  const volumes = [volumeFixture({ volumeId: 'vol-1', encrypted: true, kmsKeyId: KEY })];
  const plain = [volumeFixture({ volumeId: 'vol-1' })];
  const ended = (stateReasonCode: string | null, stateReasonText: string | null = null) => ({
    ...{ stateReasonCode, stateReasonText },
  });
  const own = facts({ kind: 'usable', manager: 'AWS' });
  const customers = facts({ kind: 'usable', manager: 'CUSTOMER' });
  const unknown = facts({ kind: 'unknown', why: '' });

  it.each([
    ended('Client.InvalidKMSKey.InvalidState'),
    ended('Client.InvalidKmsKey.Disabled'),
    ended('Client.KMSKeyNotAccessible'),
    ended('Client.Other', 'the kms key is disabled'),
    ended('Client.InternalError', 'Client.InternalError: KMS denied access'),
  ])('is one whose reason names it: %j', (instance) => {
    expect(endedForKey(instance, plain, own)).toBe(true);
  });

  it('is, with no more said than a client error, one where a key could be it', () => {
    const instance = ended('Client.InternalError', 'Client.InternalError: Client error on launch');
    expect(endedForKey(instance, volumes, new Map())).toBe(true);
    expect(endedForKey(instance, volumes, unknown)).toBe(true);
    expect(endedForKey(instance, volumes, customers)).toBe(true);
  });

  it('is none whose volumes are not encrypted, or only with the account’s own key, which works', () => {
    const instance = ended('Client.InternalError');
    expect(endedForKey(instance, plain, new Map())).toBe(false);
    expect(endedForKey(instance, volumes, own)).toBe(false);
  });

  it.each(['Server.InternalError', 'Client.VolumeLimitExceeded', 'Client.UserInitiatedShutdown', null])(
    'is none that ended with %s',
    (code) => expect(endedForKey(ended(code), volumes, unknown)).toBe(false),
  );

  it('advises what is known of the key, else what it needs', () => {
    expect(keyAdvice(volumes, facts(standingOf(KEY, key({ state: 'Disabled' }))))).toContain('is disabled');
    expect(keyAdvice(volumes, customers)).toMatch(/arn:aws:kms:::key\/1.*kms:CreateGrant.*understudy iam-policy/);
  });
});
