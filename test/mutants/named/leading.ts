import type { NamedMutant } from '../run-named.ts';

/** Rules about leadership, and about how new a view is. */
export const LEADING_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'el-unread',
    rule: 'S2',
    story: 'a win is believed under whoever’s entry is read back',
    edits: [
      {
        file: 'packages/coordinator/src/leadership/leadership.ts',
        find: 'const entry = ownOf(candidacy, await this.#options.store.get(this.#options.keys.leader));',
        replace: 'const entry = await this.#options.store.get(this.#options.keys.leader);',
      },
    ],
    tests: ['packages/coordinator/src/leadership/reading-back-a-win.test.ts'],
  },
  {
    name: 'el-lease-only',
    rule: 'S2',
    story: 'an entry under our lease is ours, whoever wrote it',
    edits: [
      {
        file: 'packages/coordinator/src/leadership/leadership.ts',
        find: 'entry?.leaseId === candidacy.keeper.leaseId && writeIdOf(entry) === candidacy.writeId ? entry : null;',
        replace: 'entry?.leaseId === candidacy.keeper.leaseId ? entry : null;',
      },
    ],
    tests: ['packages/coordinator/src/leadership/reading-back-a-win.test.ts'],
  },
  {
    name: 'el-nonce-only',
    rule: 'S2',
    story: 'an entry with our nonce is ours, without our lease',
    edits: [
      {
        file: 'packages/coordinator/src/leadership/leadership.ts',
        find: 'entry?.leaseId === candidacy.keeper.leaseId && writeIdOf(entry) === candidacy.writeId ? entry : null;',
        replace: 'entry && writeIdOf(entry) === candidacy.writeId ? entry : null;',
      },
    ],
    tests: ['packages/coordinator/src/leadership/reading-back-a-win.test.ts'],
  },
  {
    name: 'el-not-read',
    rule: 'S2',
    story: 'a win is believed unread',
    edits: [
      {
        file: 'packages/coordinator/src/leadership/leadership.ts',
        find: 'return await this.#confirm(candidacy);',
        replace:
          "if (result.succeeded) return { kind: 'won', entry: { key: keys.leader, value: candidacy.value, leaseId, createRevision: result.revision, modRevision: result.revision } };\n return await this.#confirm(candidacy);",
      },
    ],
    tests: ['packages/coordinator/src/leadership/reading-back-a-win.test.ts'],
  },
  {
    name: 'rm-unguarded',
    rule: 'S2',
    story: 'a removal does not compare the leader key',
    edits: [
      {
        file: 'packages/shared/src/term/leader-term.ts',
        find: 'return this.#send(() => ({ ...this.#unstamped({ deletes }), writeId: null, puts: [] }));',
        replace:
          'return this.#send(() => ({ ...this.#unstamped({ deletes }), guard: null, writeId: null, puts: [] }));',
      },
    ],
    tests: ['packages/coordinator/src/leadership/term-removal.test.ts'],
  },
  {
    name: 'rm-one-is-enough',
    rule: 'S3',
    story: 'a removal is believed done as soon as one of its keys is gone',
    edits: [
      {
        file: 'packages/shared/src/term/guarded-commit.ts',
        find: 'commit.deletes.every((_, index) => entries[index] === null)',
        replace: 'commit.deletes.some((_, index) => entries[index] === null)',
      },
    ],
    tests: ['packages/coordinator/src/leadership/term-removal.test.ts'],
  },
  {
    name: 'rm-after-the-term',
    rule: 'S2',
    story: 'a removal is believed done although another one leads',
    edits: [
      {
        file: 'packages/shared/src/term/guarded-commit.ts',
        find: "  if (commit.guard && !holds(commit.guard, guardEntry)) return { kind: 'guardFailed' };\n",
        replace:
          "  if (commit.guard && commit.writeId !== null && !holds(commit.guard, guardEntry)) return { kind: 'guardFailed' };\n",
      },
    ],
    tests: ['packages/coordinator/src/leadership/term-removal.test.ts'],
  },
  {
    name: 'dv-probe',
    rule: 'S9',
    story: 'a view is dated by the answer of its proof, not by the question',
    edits: [
      {
        file: 'packages/coordinator/src/store/watch-cache.ts',
        find: 'const probe = { sentAtMs, sentAtWallMs,',
        replace: 'const probe = { sentAtMs: this.#options.clock.monotonicMs(), sentAtWallMs,',
      },
    ],
    tests: ['packages/coordinator/src/store/dating-a-view.test.ts'],
  },
  {
    name: 'dv-probe-wall',
    rule: 'S9',
    story: 'a view is dated by the answer on the wall clock',
    edits: [
      {
        file: 'packages/coordinator/src/store/watch-cache.ts',
        find: 'const probe = { sentAtMs, sentAtWallMs,',
        replace: 'const probe = { sentAtMs, sentAtWallMs: this.#options.clock.wallMs(),',
      },
    ],
    tests: ['packages/coordinator/src/store/dating-a-view.test.ts'],
  },
  {
    name: 'dv-list',
    rule: 'S9',
    story: 'a view is dated by when its list arrived',
    edits: [
      {
        file: 'packages/coordinator/src/store/watch-cache.ts',
        find: '    this.#freshAtMs = sentAtMs;\n    this.#freshAtWallMs = sentAtWallMs;\n    this.#probes = [];',
        replace:
          '    this.#freshAtMs = this.#options.clock.monotonicMs();\n    this.#freshAtWallMs = sentAtWallMs;\n    this.#probes = [];',
      },
    ],
    tests: ['packages/coordinator/src/store/dating-a-view.test.ts'],
  },
];
