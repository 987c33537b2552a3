import {
  type BucketLimit,
  type CallWord,
  type Clock,
  type Cloud,
  errorText,
  fullBucket,
  isOperationError,
  type MonotonicMs,
  takeTokens,
  type TokenBucket,
} from '@understudy/shared';
import { isDoneWhenAsked } from '@understudy/aws';
import type { CallTrial, ShownCall } from '@understudy/recovery';

/** Questions are no work: EC2's buckets are the recoveries' first. */
const ASKED_AT_MOST: BucketLimit = { burst: 20, refillPerSecond: 0.5 };
/** What was not a yes is asked again soon, so that a correction shows. */
const NO_KEPT_FOR_MS = 60_000;
/** Answers kept at once. A plan has some ten calls that can be asked about. */
const ANSWERS_MAX = 20_000;

interface Answer {
  readonly word: CallWord;
  readonly atMs: MonotonicMs;
}

export interface CallTrialsOptions {
  readonly cloud: Pick<Cloud, 'tryCall'>;
  readonly clock: Clock;
  /** A yes is kept for so long; 0: EC2 is never asked. */
  readonly everyMs: number;
  /** Whoever answers may take a question for the deed: only what would do no harm is asked. */
  readonly onlyHarmless: boolean;
}

/**
 * A tag of ours on what the call is about itself changes nothing that anybody goes by. **S** (S4)
 * Nothing else is harmless: what a call would change depends on states, and what was seen of them
 * is old by the time that EC2 gets the question.
 */
const isTag = ({ action, planned: { trial } }: ShownCall): boolean =>
  action === 'CreateTags' && trial.kind === 'as-planned';

/**
 * Why EC2 cannot be asked. **S** What has no `DryRun` at EC2 would be done as it is asked. Null: it
 * can.
 */
function whyNever({ action, asked, planned: { trial } }: ShownCall): string | null {
  if (isDoneWhenAsked(action) || (asked && isDoneWhenAsked(asked.action))) return 'EC2 has no DryRun for it';
  return trial.kind === 'none' ? trial.why : null;
}

/**
 * EC2's word on the calls of plans (`DryRun`: nothing is done), asked slowly and kept for a while.
 * Of a call about what only the recovery makes, EC2 cannot be asked, and that is said.
 */
export class CallTrials {
  readonly #options: CallTrialsOptions;
  readonly #answers = new Map<string, Answer>();
  #bucket: TokenBucket;

  constructor(options: CallTrialsOptions) {
    this.#options = options;
    this.#bucket = fullBucket(ASKED_AT_MOST, options.clock.monotonicMs());
  }

  /** The words on these calls, in their order. At most `askMax` are asked for now. */
  async words(calls: readonly ShownCall[], askMax: number, signal: AbortSignal): Promise<readonly CallWord[]> {
    // A call that changes a tag at most goes first: an endpoint that takes questions for deeds is
    // found out by it, and is asked nothing else.
    const harmlessFirst = calls.toSorted((a, b) => Number(isTag(b)) - Number(isTag(a)));
    let left = askMax;
    for (const call of harmlessFirst) {
      if (left === 0 || !this.#isDue(call)) continue;
      if (!this.#take()) break;
      left -= 1;
      await this.#ask(call, signal);
    }
    return calls.map((call) => this.#wordOn(call));
  }

  #take(): boolean {
    const taken = takeTokens(this.#bucket, ASKED_AT_MOST, this.#options.clock.monotonicMs());
    if (taken === null) return false;
    this.#bucket = taken;
    return true;
  }

  #isDue(call: ShownCall): boolean {
    const { clock, everyMs } = this.#options;
    if (everyMs === 0 || whyNever(call) !== null || this.#isKeptBack(call)) return false;
    const known = this.#answers.get(questionOf(call));
    if (!known) return true;
    const keptForMs = known.word.word === 'allowed' ? everyMs : NO_KEPT_FOR_MS;
    return clock.monotonicMs() - known.atMs >= keptForMs;
  }

  #isKeptBack(call: ShownCall): boolean {
    return this.#options.onlyHarmless && !isTag(call);
  }

  async #ask(call: ShownCall, signal: AbortSignal): Promise<void> {
    const { cloud, clock } = this.#options;
    const { trial, send } = call.planned;
    const how = trial.kind === 'with' ? trial.send : send;
    const said = (word: CallWord['word'], text: string): void =>
      this.#keep(call, { word, text, askedAtWallMs: clock.wallMs() });
    try {
      await cloud.tryCall(how, { signal });
      said('allowed', '');
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (error.code === 'CLOUD_DENIED') said('denied', errorText(error));
      else if (error.code === 'CLOUD_REJECTED' || error.code === 'CLOUD_NOT_FOUND' || error.code === 'CLOUD_CONFLICT')
        said('refused', errorText(error));
      else said('not-asked', `EC2 gave no clear answer: ${errorText(error)}`);
    }
  }

  #keep(call: ShownCall, word: CallWord): void {
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    this.#answers.set(questionOf(call), { word, atMs: this.#options.clock.monotonicMs() });
  }

  #wordOn(call: ShownCall): CallWord {
    const { trial } = call.planned;
    const never = whyNever(call);
    if (never !== null) return { word: 'cannot-be-asked', text: never, askedAtWallMs: null };
    const known = this.#answers.get(questionOf(call));
    if (known) return trial.kind === 'with' ? wordWith(trial, known.word) : known.word;
    const text = this.#whyNot(call);
    return { word: 'not-asked', text, askedAtWallMs: null };
  }

  #whyNot(call: ShownCall): string {
    if (this.#options.everyMs === 0) return 'loop.tryLaunchEveryMs is 0';
    if (this.#isKeptBack(call))
      return 'this EC2 is not AWS itself and might do what it is only asked about (aws.dryRuns)';
    return 'EC2 is asked slowly; ask again';
  }
}

const textOf = (one: Pick<ShownCall, 'action' | 'parameters'>): string =>
  `${one.action} ${JSON.stringify(one.parameters)}`;

/** Tells calls apart. */
export const callKey = (call: ShownCall): string => textOf(call);

/** One question may be of use to several calls. */
const questionOf = (call: ShownCall): string => textOf(call.asked ?? call);

/**
 * What the answer about a stand-in says of the call. A denial may be for what the stand-in lacks,
 * and says nothing then.
 */
function wordWith({ text, lacks }: Extract<CallTrial, { kind: 'with' }>, said: CallWord): CallWord {
  const own = [text, said.text].filter((one) => one !== '').join('; ');
  if (said.word === 'denied' && lacks !== undefined)
    return { ...said, word: 'cannot-be-asked', text: `${text}, which EC2 denies; but it lacks ${lacks}` };
  return { ...said, text: own };
}
