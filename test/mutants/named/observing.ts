import type { NamedMutant } from '../run-named.ts';

/** Rules about what observers say, and whom they believe. */
export const OBSERVING_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'op-compare',
    rule: 'S10',
    story: 'an opinion is written over whatever is there: a stale dead lands late',
    edits: [
      {
        file: 'packages/coordinator/src/observing/opinion-publisher.ts',
        find: 'compare: [standing.compare, ...rows.map(({ key, published }) => ({ key, modRevision: published.revision }))],',
        replace: 'compare: [standing.compare],',
      },
    ],
    tests: ['packages/coordinator/src/observing/late-opinions.test.ts'],
  },
  {
    name: 'ch-const',
    rule: 'S13',
    story: 'the challenge does not depend on the process',
    edits: [
      {
        file: 'packages/observer/src/core/ingest.ts',
        find: 'writeMidstate(identity.nonce, this.#nonceState, 0);',
        replace: 'writeMidstate(new Uint8Array(32), this.#nonceState, 0);',
      },
    ],
    tests: ['packages/observer/src/core/challenge.test.ts'],
  },
  {
    name: 'ch-restart',
    rule: 'S13',
    story: 'the nonce of the challenge is the same after a restart',
    edits: [
      {
        file: 'packages/coordinator/src/coordinator-parts.ts',
        find: `nonce: Uint8Array.from(Buffer.from(random.hex(32), 'hex')),`,
        replace: 'nonce: new Uint8Array(32).fill(3),',
      },
    ],
    tests: ['test/scenarios/coordinator/restarts-and-stalls.test.ts'],
  },
  {
    name: 'ch-restart-id',
    rule: 'S13',
    story: 'the nonce of the challenge is the coordinator’s name',
    edits: [
      {
        file: 'packages/coordinator/src/coordinator-parts.ts',
        find: `nonce: Uint8Array.from(Buffer.from(random.hex(32), 'hex')),`,
        replace: 'nonce: Uint8Array.from(Buffer.from(config.id.padEnd(32))),',
      },
    ],
    tests: ['test/scenarios/coordinator/restarts-and-stalls.test.ts'],
  },
  {
    name: 'ans-fence-unranked',
    rule: 'S9',
    story: 'a coordinator that has not seen the intent outranks the one that says fenced',
    edits: [
      {
        file: 'packages/coordinator/src/observing/activation-answers.ts',
        find: 'incarnation: intent.oldIncarnation, revision: open.modRevision }',
        replace: 'incarnation: intent.oldIncarnation, revision: 0 }',
      },
    ],
    tests: ['test/scenarios/coordinator/fenced-again.test.ts'],
    only: 'stays fenced',
  },
  {
    name: 'ans-active-unranked',
    rule: 'S9',
    story: 'an instance whose recovery was abandoned serves nobody until another leader is elected',
    edits: [
      {
        file: 'packages/coordinator/src/observing/activation-answers.ts',
        find: 'revision: named?.modRevision ?? 0 }',
        replace: 'revision: 0 }',
      },
    ],
    tests: ['test/scenarios/coordinator/fenced-again.test.ts'],
    only: 'serves again',
  },
];
