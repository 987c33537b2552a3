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
];
