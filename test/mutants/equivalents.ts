import { OBSERVE_EQUIVALENTS } from './equivalents-observe.ts';
import type { Equivalent } from './score.ts';

const A = 'packages/agent/src/core';
const C = 'packages/coordinator/src';
const RECOVERY = 'packages/recovery/src/core';
const STEPS = 'packages/recovery/src/steps';

/**
 * Mutants that nobody outside can tell from the code. Doubtful ones do not belong here: they are
 * survivors.
 */
export const EQUIVALENTS: readonly Equivalent[] = [
  {
    file: `${A}/boot.ts`,
    on: 'bootEpoch: afterStored > wallSeconds ? afterStored : wallSeconds',
    replacement: 'afterStored >= wallSeconds',
    why: 'The greater of two numbers: where they are equal, either is the same one.',
  },
  {
    file: 'packages/recovery/src/ways-out/replan.ts',
    on: 'const { lostZones = [] } = basis ?? {}',
    original: '[]',
    replacement: '["Stryker was here"]',
    why: 'A zone of that name has no subnet, so no candidate is in it; and it is named only when all of them are in lost zones.',
  },
  {
    file: `${A}/activation.ts`,
    on: "return compareRanks(answer.rank, state.rank) > 0 ? { kind: 'fenced', rank: answer.rank } : state",
    replacement: 'compareRanks(answer.rank, state.rank) >= 0',
    why: 'At equal rank the new state says what the old one said; nobody asks whether it is the same object.',
  },
  {
    file: `${A}/activation.ts`,
    on: "const heldMs = state.kind === 'active' ? (state.leaseUntilMs ?? 0) : 0",
    original: "state.kind === 'active'",
    replacement: 'true',
    why: 'No other state has the member, so what is read is undefined, and becomes 0 as well.',
  },
  {
    file: `${A}/activation.ts`,
    on: "if (cell.to === 'active') return answer ? activate(state, answer, policy, nowMs) : { state, effects: [] }",
    replacement: '["Stryker was here"]',
    why: 'By its type an event that leads to active carries an answer: the other branch is for the compiler.',
  },
  {
    file: `${A}/answers.ts`,
    on: 'return a.term < b.term ? -1 : 1',
    replacement: 'a.term <= b.term',
    why: 'Equal terms were answered with 0 one line above.',
  },
  {
    file: `${A}/answers.ts`,
    on: 'if (order !== 0) return order > 0',
    replacement: 'order >= 0',
    why: 'Zero was excluded in the same line.',
  },
  {
    file: `${A}/answers.ts`,
    on: 'return severity !== 0 ? severity > 0 : a.askedAtMs > b.askedAtMs',
    replacement: 'severity >= 0',
    why: 'Zero was excluded in the same line.',
  },
  {
    file: `${RECOVERY}/elastic-ip-move.ts`,
    on: 'const { oldInstanceId, owedFrom = [] } = fenced',
    replacement: '["Stryker was here"]',
    why: 'No instance has that id.',
  },
  {
    file: `${STEPS}/done.ts`,
    on: '...(run.record.acceptedLosses ?? [])',
    replacement: '["Stryker was here"]',
    why: 'No address has that name.',
  },
  {
    file: `${RECOVERY}/chores.ts`,
    on: "if (chore.kind !== 'volume-tags') return null",
    replacement: 'false',
    why: 'The other kinds have no device name, so no volume is found. The check is for the compiler.',
  },
  {
    file: `${RECOVERY}/launch-tags.ts`,
    on: 'const compareText = (a: string, b: string): number => (a < b ? -1 : 1)',
    replacement: 'a <= b',
    why: 'Only members of one record are compared, whose names differ.',
  },
  {
    file: `${RECOVERY}/planned-volumes.ts`,
    on: '(a.deviceName < b.deviceName ? -1 : 1)',
    replacement: 'a.deviceName <= b.deviceName',
    why: 'Devices of one instance have different names.',
  },
  {
    file: `${RECOVERY}/launch-trial.ts`,
    on: "if (trial.kind !== 'refused' || trial.names !== null) return []",
    original: "trial.kind !== 'refused'",
    replacement: 'false',
    why: 'Only a refusal has names; of the others the member is undefined, which is not null. The check is for the compiler.',
  },
  {
    file: `${RECOVERY}/next-attempt.ts`,
    on: 'replacements failed; the last: ${made.at(-1)?.text',
    original: 'made.at(-1)?.text',
    why: 'At least one has failed: maxLaunchAttempts is 1 or more.',
  },
  {
    file: `${RECOVERY}/next-attempt.ts`,
    on: 'const length = series.at(-1)?.seriesLength ?? 0',
    original: 'series.at(-1)?.seriesLength',
    why: 'The line before has returned where the series is empty.',
  },
  {
    file: `${RECOVERY}/owed.ts`,
    on: "const owes = (kind: 'stop' | 'termination') => chores.some((one) => one.kind === 'protect' && one[kind])",
    original: "one.kind === 'protect'",
    replacement: 'true',
    why: 'No other kind has these members. The check is for the compiler.',
  },
  {
    file: `${RECOVERY}/placement.ts`,
    on: 'const ownVpcId = input.ownSubnetId === null ? undefined : subnets.get(input.ownSubnetId)?.vpcId',
    original: 'input.ownSubnetId === null',
    replacement: 'false',
    why: 'No subnet has the id null, so the answer is undefined as well. The check is for the compiler.',
  },
  {
    file: `${RECOVERY}/plan.ts`,
    on: "if (refusals.length > 0 || image === null) return { kind: 'blocked', problems: refusals }",
    original: 'image === null',
    replacement: 'false',
    why: 'Without an image, or a root device, there is a problem, which comes first. The check is for the compiler.',
  },
  {
    file: 'packages/shared/src/token-bucket.ts',
    on: 'return tokens + ROUNDING >= count',
    replacement: 'tokens + ROUNDING > count',
    why: 'Differs for one value within the rounding error that the constant stands for.',
  },
  {
    file: 'packages/shared/src/token-bucket.ts',
    on: 'return missing <= ROUNDING ? 0',
    replacement: 'missing < ROUNDING',
    why: 'As above: one value within the rounding error.',
  },
  {
    file: `${STEPS}/fence.ts`,
    on: 'doubtful: false,',
    why: 'While no Stop was asked for, one is sent at once whatever this says, and every answer to one sets it.',
  },
  {
    file: `${STEPS}/fence.ts`,
    on: 'restless: [],',
    why: 'It is told only of an instance that a look has shown stopped, and every look sets it.',
  },
  {
    file: `${STEPS}/fence.ts`,
    on: "if (state !== 'stopped' || memory.askedAtMs === null) memory.stoppedSinceMs = null",
    original: 'memory.askedAtMs === null',
    replacement: 'false',
    why: 'Every answer to a Stop begins the looks anew, so those before the first never count. Kept because the rule says so.',
  },
  {
    file: `${STEPS}/permit.ts`,
    on: 'invariant(candidate,',
    why: 'The index was counted modulo the number of candidates. For the compiler.',
  },
  {
    file: `${STEPS}/verify.ts`,
    on: "if (instance?.state !== 'running' || isUndo(run.plan)) return null",
    why: 'Only what is shown running passes or settles, and nothing else gets here. Kept for the compiler.',
  },
  {
    file: `${STEPS}/verify.ts`,
    on: "if (instance?.state !== 'terminated' && instance?.state !== 'shutting-down') return null",
    replacement: 'instance.state',
    why: 'What EC2 does not show is waited for: only what is shown can have failed.',
  },
  {
    file: `${C}/judge/quorum.ts`,
    on: 'const outsideZone = zones.some((az) => az !== evidence.az)',
    why: 'Two zones that differ cannot both be the member’s, so two zones imply one outside; with fewer, what is missing is a zone, and that is said first. Kept because S10 says it.',
  },
  {
    file: `${C}/judge/quorum.ts`,
    on: 'const outsideZone = [...zones].some((az) => az !== evidence.az)',
    why: 'As above: zones.size >= minimumZones with minimumZones of 2 or more implies it, and with 1 it is not asked for.',
  },
  {
    file: `${C}/judge/quorum.ts`,
    on: 'return agreeing.length >= minimumObservers && zones.size >= minimumZones && (outsideZone || minimumZones <= 1)',
    original: 'outsideZone || minimumZones <= 1',
    why: 'The last operand is implied by the one before (two zones that differ cannot both be the member’s).',
  },
  {
    file: `${C}/judge/assess.ts`,
    on: ': quorum.zones.length < minimumZones',
    why: 'Enough observers that are not met lack a zone: zones that are enough have one outside of the member’s (see quorum.ts). The third answer is there for a quorum that is counted otherwise.',
  },
  {
    file: `${C}/judge/assess.ts`,
    on: "['NoObserverOutsideZone', `no observer outside ${evidence.az}`]",
    why: 'As above: no evidence leads there.',
  },
  {
    file: `${C}/judge/guard-mass.ts`,
    on: 'if (failedSinceWallMs !== null && near(failedSinceWallMs))',
    original: 'failedSinceWallMs !== null',
    replacement: 'true',
    why: 'Null counts as 1970, which is near to nothing. The question is there for the compiler.',
  },
  {
    file: `${C}/judge/guard-rates.ts`,
    on: "return gate('BudgetExhausted', level >= 1 - 1e-9",
    replacement: 'level > 1 - 1e-9',
    why: 'The hair of tolerance is arbitrary: no sum of fractions is meant to meet it exactly.',
  },
  {
    file: `${C}/judge/quorum.ts`,
    on: 'evidence.observers.find((live) => live.coordinatorId === opinion.observer)?.az ?? opinion.az',
    original: 'evidence.observers.find((live) => live.coordinatorId === opinion.observer)?.az',
    why: 'Asked only of opinions that count, and those have a live observer (abstentionOf). The question mark is there for the compiler.',
  },
  {
    file: `${C}/judge/service-evidence.ts`,
    on: "const starting = cloud.kind === 'hold' && (cloud.code === 'BootGrace' || cloud.code === 'Starting')",
    original: "cloud.kind === 'hold'",
    why: 'No other kind has one of the two codes. The question is there for the compiler.',
  },
  {
    file: 'packages/shared/src/term/guarded-commit.ts',
    on: 'if (!entry) return null',
    replacement: 'false',
    why: 'Reading the value of no entry throws inside the try below, which answers null as well.',
  },
  {
    file: 'packages/shared/src/term/guarded-commit.ts',
    on: "if (typeof json !== 'object' || json === null || !('writeId' in json)) return null",
    why: 'What is no object, or null, makes `in` or the member throw inside the try, and what has no nonce has none that is a text: null in every case.',
  },
  {
    file: 'packages/shared/src/term/guarded-commit.ts',
    on: "invariant(anyKey !== undefined, 'a commit compares at least one key')",
    replacement: 'true',
    why: 'A guarded write has at least one put by its type, and a removal a delete: there is always a key.',
  },
  {
    file: 'packages/shared/src/term/guarded-commit.ts',
    on: "invariant(judged.kind !== 'unsettled', 'the store refused a transaction whose compares all hold')",
    replacement: 'true',
    why: 'A store that refuses a transaction whose compares all hold is not etcd; no test can have one.',
  },
  {
    file: 'packages/recovery/src/core/serve-lease/first-seen.ts',
    on: 'if (id === null) this.#seen.delete(member)',
    replacement: 'false',
    why: 'An entry that says "nothing" answers every question as no entry does; it only takes memory, one entry per member at most.',
  },
  {
    file: `${C}/observing/activation-answers.ts`,
    on: 'if (known !== undefined) return known',
    replacement: 'false',
    why: 'A hash that is kept or computed again is the same hash: speed only.',
  },
  {
    file: `${C}/observing/activation-answers.ts`,
    on: 'this.#hashes.set(record, hash)',
    why: 'As above: what is not kept is computed again.',
  },
  {
    file: `${C}/store/etcd-version.ts`,
    on: 'return Number(major) > 3 || (Number(major) === 3 && Number(minor) > 6)',
    original: 'Number(minor) > 6',
    replacement: 'Number(minor) >= 6',
    why: 'Minor 6 of major 3 has its first safe release in the table and does not come here.',
  },
  {
    file: `${C}/leadership/leadership.ts`,
    on: 'if (stayOutMs > 0) await this.#options.clock.sleep(stayOutMs, closing)',
    original: 'stayOutMs > 0',
    why: 'To sleep for no time, or for less, is not to sleep.',
  },
  {
    file: `${C}/leadership/leadership.ts`,
    on: 'if (this.#view.revision > revision && !this.#view.get(this.#options.keys.leader)) return',
    replacement: 'this.#view.revision >= revision',
    why: 'At that very revision the key was there: a view that has reached it, and no more, shows it.',
  },
  {
    file: `${C}/leadership/leadership.ts`,
    on: 'if (term && this.#view.revision >= term.number && entry?.createRevision !== term.number)',
    replacement: 'this.#view.revision > term.number',
    why: 'The term is the revision that made the key: a view that has reached it, and no more, shows the key.',
  },
  {
    file: `${C}/store/session.ts`,
    on: 'const keeper = await grantPersistently(this.#deps, this.#timing, closing).catch(() => null)',
    replacement: '() => undefined',
    why: 'Only asked whether there is one.',
  },
  {
    file: `${C}/store/record-writer.ts`,
    on: "invariant(outcome.kind !== 'guardFailed', 'a write without a guard cannot fail it')",
    replacement: 'true',
    why: 'A commit without a guard is never judged to have failed it; said for the compiler.',
  },
  {
    file: `${C}/store/completeness-check.ts`,
    on: 'return (this.#deleted.get(key) ?? 0) <= seen.revision',
    replacement: '(this.#deleted.get(key) ?? 0) < seen.revision',
    why: 'A key that was read at a revision was not deleted in it.',
  },
  {
    file: `${C}/store/watch-cache.ts`,
    on: '#probes: Probe[] = []',
    why: 'The first list, before which nothing probes, sets it anew.',
  },
  {
    file: `${C}/store/watch-cache.ts`,
    on: 'options.witnessPrefix === undefined ? null : new CompletenessCheck(options.witnessPrefix)',
    replacement: 'false',
    why: 'A witness of no prefix is responsible for no key.',
  },
  {
    file: `${C}/store/watch-cache.ts`,
    on: 'if ((touched.get(key) ?? 0) > range.revision) return false',
    replacement: '(touched.get(key) ?? 0) >= range.revision',
    why: 'What was touched in the revision of the list is listed as it was touched.',
  },
  ...OBSERVE_EQUIVALENTS,
];
