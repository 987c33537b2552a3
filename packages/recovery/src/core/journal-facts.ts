import type { JournalRecord } from '@understudy/shared';
import { readStepId } from './step-id.ts';

type Entry = Pick<JournalRecord, 'step' | 'state' | 'result' | 'endedAtWallMs'>;

/** An instance that a launch of the journal made. */
export interface Launched {
  readonly attempt: number;
  readonly instanceId: string;
  /** True when the launch is over. Otherwise the id was noted on the way. */
  readonly isDone: boolean;
}

/** What the journal of one recovery says, for those who are not its engine. */
export interface JournalFacts {
  /** True when the old instance was made unable to act, or was about to be. */
  readonly fenceBegun: boolean;
  /** The launched instances, in the order of the journal. */
  readonly launched: readonly Launched[];
  /** Instance of the newest launch that ended well. Null: none did. */
  readonly replacementId: string | null;
  /** When its replacement was put in charge, by the writer's wall clock. Null: it is not. */
  readonly activatedAtWallMs: number | null;
}

/** Reads a journal, as far as it goes. Records of unknown steps say nothing. Pure. */
export function journalFacts(entries: Iterable<Entry>): JournalFacts {
  const all = [...entries];
  const launched = all.flatMap(launchOf);
  const ended = launched.filter((one) => one.isDone).sort((a, b) => b.attempt - a.attempt);
  return {
    fenceBegun: all.some((one) => one.step === 'fence'),
    launched,
    replacementId: ended[0]?.instanceId ?? null,
    activatedAtWallMs: all.find((one) => one.step === 'activate')?.endedAtWallMs ?? null,
  };
}

function launchOf({ step, state, result }: Entry): Launched[] {
  const { name, attempt } = readStepId(step);
  const instanceId = result?.instanceId;
  if (name !== 'launch' || typeof instanceId !== 'string') return [];
  return [{ attempt, instanceId, isDone: state === 'done' }];
}
