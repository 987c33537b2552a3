import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { harmlessText } from '@understudy/shared/browser';
import { lookAt, newCommandKey, Refused, send, Unanswered } from '../adapters/api.ts';
import { type Act, bodyOf, type Shown } from '../model/commands.ts';
import { serverNowMs, session } from '../store.ts';
import { CopyCommand } from './small.tsx';

const asked = signal<Act | null>(null);

const mayDo = (who: typeof session.value, { group }: Act): boolean =>
  who !== null &&
  who !== 'unknown' &&
  who.mayOperate &&
  (who.groups === null || (group !== null && who.groups.includes(group)));

/** Opens the form of an act. Shown to operators only: others would be refused. */
export function ActButton({
  act,
  label,
  kind = 'quiet',
}: {
  readonly act: Act;
  readonly label: string;
  readonly kind?: string;
}) {
  if (!mayDo(session.value, act)) return null;
  const open = (): void => {
    asked.value = act;
  };
  return (
    <button type="button" class={kind} onClick={open} data-act={act.path}>
      {label}
    </button>
  );
}

type Outcome = {
  readonly kind: 'done' | 'refused' | 'unanswered';
  readonly text: string;
  readonly remedy: string | null;
};

const ENDS = [
  ['30 minutes', 30],
  ['1 hour', 60],
  ['4 hours', 240],
  ['24 hours', 1_440],
  ['somebody resumes', null],
] as const;

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Refused) return { kind: 'refused', text: error.message, remedy: error.remedy };
  const nobody = 'No answer. It may or may not have been carried out; sending it again does nothing twice.';
  if (error instanceof Unanswered) return { kind: 'unanswered', text: nobody, remedy: null };
  throw error;
}

const OUTCOME_WORD = { done: 'Done.', refused: 'Refused.', unanswered: 'Not known.' } as const;

function OutcomeText({ outcome: { kind, text, remedy } }: { readonly outcome: Outcome }) {
  return (
    <div class={`outcome ${kind}`} role="status">
      <strong>{OUTCOME_WORD[kind]}</strong> {text}
      {remedy ? <p>{remedy}</p> : null}
    </div>
  );
}

type Body = Readonly<Record<string, unknown>>;

interface Sending {
  readonly outcome: Outcome | null;
  readonly isUnderWay: boolean;
  readonly submit: (body: Body) => Promise<void>;
}

/** Sends what the person means, under one key, however often it is sent. */
function useSending(act: Act): Sending {
  const [key] = useState(newCommandKey);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isUnderWay, setUnderWay] = useState(false);
  const [sent, setSent] = useState<Body | null>(null);
  const submit = async (body: Body): Promise<void> => {
    const who = session.peek();
    if (who === null || who === 'unknown') return;
    const meant = sent ?? body;
    setSent(meant);
    setUnderWay(true);
    try {
      setOutcome({ kind: 'done', text: saidOf(await send({ path: act.path, body: meant }, key, who)), remedy: null });
    } catch (error) {
      const next = outcomeOf(error);
      // What was refused was not done: another try may say something else.
      if (next.kind === 'refused') setSent(null);
      setOutcome(next);
    } finally {
      setUnderWay(false);
    }
  };
  return { outcome, isUnderWay, submit };
}

/** What the coordinators say that they did. */
function saidOf(answer: unknown): string {
  const text = (answer as { readonly text?: unknown } | null)?.text;
  return typeof text === 'string' ? harmlessText(text) : 'The page shows what follows.';
}

const NOTHING_SHOWN: Shown = { lines: [], names: {}, obstacle: null };

/** What is there now. Null while it is looked at. */
function useLook({ look }: Act): Shown | null {
  const [shown, setShown] = useState<Shown | null>(look ? null : NOTHING_SHOWN);
  useEffect(() => {
    if (!look) return;
    lookAt(look.path).then(
      (body) => setShown(look.shown(body)),
      (error: unknown) =>
        setShown({ ...NOTHING_SHOWN, obstacle: error instanceof Error ? error.message : String(error) }),
    );
  }, [look]);
  return shown;
}

function WhatIsThere({ shown }: { readonly shown: Shown | null }) {
  if (shown === null) return <p class="note">Looking at what is there now</p>;
  return (
    <>
      {shown.lines.length > 0 ? (
        <ul class="shown">
          {shown.lines.map((line) => (
            <li key={line}>{harmlessText(line)}</li>
          ))}
        </ul>
      ) : null}
      {shown.obstacle ? (
        <p class="outcome refused" role="status">
          <strong>Not now.</strong> {harmlessText(shown.obstacle)}
        </p>
      ) : null}
    </>
  );
}

function Done({ outcome, close }: { readonly outcome: Outcome; readonly close: () => void }) {
  return (
    <div class="form">
      <OutcomeText outcome={outcome} />
      <div class="form-buttons">
        <button type="button" class="primary" onClick={close}>
          Close
        </button>
      </div>
    </div>
  );
}

function TypedName({
  name,
  typed,
  take,
}: {
  readonly name: string;
  readonly typed: string;
  readonly take: (text: string) => void;
}) {
  return (
    <label>
      <span>
        Type <code>{name}</code> to confirm
      </span>
      <input
        value={typed}
        name="typed"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => take(event.currentTarget.value)}
      />
    </label>
  );
}

function ActForm({ act, close }: { readonly act: Act; readonly close: () => void }) {
  const { outcome, isUnderWay, submit } = useSending(act);
  const shown = useLook(act);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [endMinutes, setEnd] = useState<number | null>(60);
  const isMeant = reason.trim() !== '' && (act.typed === null || typed === act.typed);
  const isReady = isMeant && shown !== null && shown.obstacle === null;
  if (outcome?.kind === 'done') return <Done outcome={outcome} close={close} />;
  const send = (): void => {
    if (!isReady) return;
    const untilWallMs = endMinutes === null ? null : Math.round(serverNowMs.peek() + endMinutes * 60_000);
    void submit(bodyOf(act, { reason: reason.trim(), untilWallMs, who: whoAsks() }, shown.names));
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <p>{act.says}</p>
      <WhatIsThere shown={shown} />
      <label>
        Reason, for the record
        <input
          value={reason}
          name="reason"
          required
          maxLength={500}
          autoFocus
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      {act.hasEnd ? <EndChoice minutes={endMinutes} choose={setEnd} /> : null}
      {act.typed === null ? null : <TypedName name={act.typed} typed={typed} take={setTyped} />}
      {outcome ? <OutcomeText outcome={outcome} /> : null}
      <CopyCommand command={act.command} />
      <div class="form-buttons">
        <span class="grow" />
        <button type="button" class="quiet" onClick={close}>
          Cancel
        </button>
        <button type="submit" class={act.typed === null ? 'primary' : 'danger'} disabled={!isReady || isUnderWay}>
          {isUnderWay ? 'Sending' : act.button}
        </button>
      </div>
    </form>
  );
}

const whoAsks = (): string => {
  const who = session.peek();
  return (who !== null && who !== 'unknown' ? who.name : null) ?? 'somebody';
};

function EndChoice({
  minutes,
  choose,
}: {
  readonly minutes: number | null;
  readonly choose: (minutes: number | null) => void;
}) {
  return (
    <label>
      Until
      <select
        value={String(minutes)}
        onChange={(event) => {
          const { value } = event.currentTarget;
          choose(value === 'null' ? null : Number(value));
        }}
      >
        {ENDS.map(([text, each]) => (
          <option key={text} value={String(each)}>
            {each === null ? text : `${text} from now`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The one dialog for acts. The browser keeps the focus in it, and gives it back. */
export function ActDialog() {
  const act = asked.value;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (act && dialog.current && !dialog.current.open) dialog.current.showModal();
  }, [act]);
  const close = (): void => dialog.current?.close();
  if (!act) return null;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="act-title"
      onClose={() => {
        asked.value = null;
      }}
    >
      <h2 id="act-title">{act.title}</h2>
      <ActForm act={act} close={close} />
    </dialog>
  );
}
