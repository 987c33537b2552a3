import { useState } from 'preact/hooks';
import { type ExplainView, harmlessText, shownLines } from '@understudy/shared/browser';
import { explain, Refused } from '../adapters/api.ts';
import { memberScope, pauseAct, recoverAct, releaseAct, resumeAct, undoAct } from '../model/commands.ts';
import { heardCells } from '../model/fleet.ts';
import { commandOf } from '../model/place.ts';
import { ageText } from '../model/times.ts';
import { fleet, past, session, status } from '../store.ts';
import { ActButton } from './act-dialog.tsx';
import { useAskedAgain } from './asked-again.ts';
import { PastRecovery } from './history-page.tsx';
import { KeyEnrolment } from './key-enrolment.tsx';
import { PhiChart } from './phi-chart.tsx';
import { PlanPanel } from './plan-panel.tsx';
import { OpenRecovery } from './recovery.tsx';
import { Disks, Rungs } from './rungs.tsx';
import { Chip, CopyCommand, Mark, SectionHead, Table, When } from './small.tsx';

const EVERY_MS = 2_000;

/** Asks for the explanation again and again while the page is open. */
function useExplanation(member: string): { readonly view: ExplainView | null; readonly trouble: string | null } {
  const [answer, setAnswer] = useState<{ view: ExplainView | null; trouble: string | null }>({
    view: null,
    trouble: null,
  });
  useAskedAgain(EVERY_MS, [member], async (isOpen) => {
    try {
      const view = await explain(member);
      if (isOpen()) setAnswer({ view, trouble: null });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const gone = error instanceof Refused && error.status === 404;
      if (isOpen()) setAnswer(({ view }) => ({ view: gone ? null : view, trouble: text }));
    }
  });
  return answer;
}

const WEIGHT_WORD = {
  'for-dead': 'says dead',
  'against-dead': 'says alive',
  neutral: 'says neither',
  veto: 'forbids dead',
} as const;

function Evidence({ view }: { readonly view: ExplainView }) {
  return (
    <section>
      <SectionHead title="Evidence" note={`as ${view.answeredBy.coordinatorId} knows it`} />
      {view.evidence.length === 0 ? <p class="empty">None is weighed now.</p> : null}
      <Table label="Evidence" headings={['Source', 'What it shows', 'Age', 'Weight']} stacks>
        {view.evidence.map(({ source, text, ageMs, freshForMs, weight }, index) => {
          const isOldEvidence = freshForMs !== null && ageMs !== null && ageMs > freshForMs;
          return (
            <tr key={`${source} ${index}`} class={isOldEvidence ? 'old-evidence' : ''}>
              <th scope="row">{harmlessText(source)}</th>
              <td>{harmlessText(text)}</td>
              <td class="number" data-label="Age">
                {ageText(ageMs)}
                {isOldEvidence ? ' (too old to count)' : ''}
              </td>
              <td>
                <Chip kind={weight} text={WEIGHT_WORD[weight]} />
              </td>
            </tr>
          );
        })}
      </Table>
    </section>
  );
}

function Gates({ view }: { readonly view: ExplainView }) {
  if (view.gates.length === 0) return null;
  const blocking = view.gates.filter(({ passes }) => !passes);
  return (
    <section>
      <SectionHead title="Gates" note={blocking.length === 0 ? 'all pass' : `${blocking.length} would hold it`} />
      <Table label="Gates" headings={['Gate', 'Result', 'Value', 'Limit']} stacks>
        {[...blocking, ...view.gates.filter(({ passes }) => passes)].map(
          ({ gate, passes, value, limit, untilWallMs }) => (
            <tr key={gate}>
              <th scope="row">{gate}</th>
              <td>
                <Chip kind={passes ? 'passes' : 'blocks'} text={passes ? 'passes' : 'holds'} />
              </td>
              <td data-label="Value">{harmlessText(value)}</td>
              <td>
                {harmlessText(limit)}
                {untilWallMs ? (
                  <>
                    {' '}
                    ends <When at={untilWallMs} />
                  </>
                ) : null}
              </td>
            </tr>
          ),
        )}
      </Table>
    </section>
  );
}

/** Far above this it only says: far too long. */
const PHI_MAX = 20;
const phiText = (phi: number | null): string =>
  phi === null ? '–' : phi > PHI_MAX ? `over ${PHI_MAX}` : phi.toFixed(1);

function Heard({ member }: { readonly member: string }) {
  const known = fleet.value;
  if (!known) return null;
  const place = known.places.get(member);
  const row = place === undefined ? undefined : known.view.members[place];
  return (
    <section>
      <SectionHead title="Heartbeats" note="φ is how unusual the silence is; it decides nothing" />
      <ul class="ears">
        {heardCells(known, member).map(({ coordinatorId, az, ageMs, phi }, index) => (
          <li key={coordinatorId}>
            <span class={`dot ${row?.opinions[index] ?? 'none'}`} aria-hidden="true" />
            <span class="ear-who">
              {coordinatorId} <span class="note">{az}</span>
            </span>
            <span class="number">{ageMs === null ? 'not heard' : `${ageText(ageMs)} ago`}</span>
            <span class="number">φ {phiText(phi)}</span>
            <span>{row?.opinions[index] ?? 'no opinion'}</span>
          </li>
        ))}
      </ul>
      <PhiChart member={member} />
    </section>
  );
}

function Flips({ view }: { readonly view: ExplainView }) {
  if (view.wouldFlip.length === 0 && view.unknownHere.length === 0 && view.lookAgainInMs === null) return null;
  return (
    <section>
      <SectionHead
        title="What would change it"
        note={view.lookAgainInMs === null ? undefined : `looked at again in ${ageText(view.lookAgainInMs)}`}
      />
      <ul class="plain">
        {view.wouldFlip.map((text) => (
          <li key={text}>{harmlessText(text)}</li>
        ))}
        {view.unknownHere.map((text) => (
          <li key={text} class="note">
            Not known to {view.answeredBy.coordinatorId}: {harmlessText(text)}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A recovery of it may be put back. Whether it can, the form says, which asks. */
const wasReplaced = (member: string): boolean =>
  past.value.some((one) => one.member === member && (one.outcome === 'replaced' || one.outcome === 'undone'));

function Acts({ view }: { readonly view: ExplainView }) {
  const { member, hold, recovery } = view;
  const scope = memberScope(member);
  const isPaused = status.value?.pauses.some((pause) => pause.scope === scope) === true;
  return (
    <div class="acts">
      {isPaused ? (
        <ActButton act={resumeAct(scope)} label="Resume" />
      ) : (
        <ActButton act={pauseAct(scope)} label="Pause" />
      )}
      {hold && recovery ? <ActButton act={releaseAct(member)} label="Release hold" /> : null}
      {recovery === null ? <ActButton act={recoverAct(member)} label="Replace" kind="danger-quiet" /> : null}
      {recovery === null && wasReplaced(member) ? (
        <ActButton act={undoAct(member)} label="Undo recovery" kind="danger-quiet" />
      ) : null}
    </div>
  );
}

function Changes({ view }: { readonly view: ExplainView }) {
  if (view.changes.length === 0) return null;
  return (
    <section>
      <SectionHead title="Changes of mind" note="since the process that answers began" />
      <ul class="plain changes">
        {view.changes.map(({ atWallMs, by, verdict, reason }, index) => (
          <li key={`${atWallMs} ${index}`}>
            <When at={atWallMs} /> <Mark kind={verdict} /> <strong>{verdict}</strong> by {harmlessText(by)}:{' '}
            {harmlessText(reason)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Console({ view }: { readonly view: ExplainView }) {
  if (!view.console) return null;
  const { instanceId, capturedAtWallMs, text } = view.console;
  return (
    <section>
      <SectionHead title="Last console output" note={`of ${instanceId}`} />
      <p class="note">
        Captured <When at={capturedAtWallMs} />.
      </p>
      {text === null ? (
        <p>Shown to operators only: it may hold anything a machine prints while it boots.</p>
      ) : (
        <pre tabIndex={0}>{shownLines(text).join('\n')}</pre>
      )}
    </section>
  );
}

function History({ member }: { readonly member: string }) {
  const own = past.value.filter((one) => one.member === member);
  if (own.length === 0) return null;
  return (
    <section>
      <SectionHead title="Earlier recoveries" note={String(own.length)} />
      {own.map((one) => (
        <PastRecovery key={one.opId} one={one} named={false} />
      ))}
    </section>
  );
}

const DECISION_WORD = {
  none: 'Nothing to do',
  replace: 'Replace it',
  hold: 'Held',
  recovering: 'Being recovered',
  unjudged: 'Not judged',
} as const;

function Why({ view }: { readonly view: ExplainView }) {
  const { decision, readinessProblems, hold } = view;
  return (
    <>
      {/* An open recovery says why by itself. */}
      {view.openRecovery ? null : (
        <>
          <p class="lead">{harmlessText(view.reason)}</p>
          <p class={`decision ${decision.kind}`}>
            <strong>{DECISION_WORD[decision.kind]}.</strong> {harmlessText(decision.text)}
          </p>
        </>
      )}
      {hold && decision.kind !== 'hold' ? (
        <p class="hold-text">
          <strong>Held: {hold.reason}.</strong> {harmlessText(hold.text)}
        </p>
      ) : null}
      {readinessProblems.length > 0 ? (
        <ul class="plain warnings">
          {readinessProblems.map(({ code, text }) => (
            <li key={code}>
              <strong>{code}</strong> {harmlessText(text)}
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

function Trouble({ trouble, isAlone }: { readonly trouble: string; readonly isAlone: boolean }) {
  return (
    <p class="outcome refused" role="status">
      {harmlessText(trouble)}
      {isAlone ? '' : '. What follows is the last answer.'}
    </p>
  );
}

/** A member: why it is judged as it is, what follows, and what an operator can do. */
export function MemberPage({ member }: { readonly member: string }) {
  const { view, trouble } = useExplanation(member);
  const kind = view ? (view.recovery === null ? view.verdict : 'recovering') : 'unknown';
  return (
    <>
      <div class="page-head">
        <h1>
          <Mark kind={kind} /> {member}{' '}
          {view ? <span class={`verdict-word ${view.verdict}`}>{view.verdict}</span> : null}
        </h1>
        {view ? (
          <span class="note">
            <code>{view.instanceId ?? 'no instance'}</code> {view.az}
            {view.incarnation === null ? '' : ` · incarnation ${view.incarnation}`}
            {view.judged.sinceWallMs === null ? null : (
              <>
                {' '}
                · changed <When at={view.judged.sinceWallMs} />
              </>
            )}
          </span>
        ) : null}
        {view && session.value ? <Acts view={view} /> : null}
        <CopyCommand command={commandOf({ page: 'member', member })} />
      </div>
      {trouble ? <Trouble trouble={trouble} isAlone={view === null} /> : null}
      {view ? (
        <>
          <Why view={view} />
          {view.openRecovery ? <OpenRecovery open={view.openRecovery} linked={false} /> : null}
          <Rungs view={view} />
          <Disks view={view} />
          {view.openRecovery ? null : <PlanPanel key={member} member={member} />}
          <Heard member={member} />
          <Flips view={view} />
          <Gates view={view} />
          <Evidence view={view} />
          <KeyEnrolment key={member} member={member} />
          <Changes view={view} />
          <Console view={view} />
          <History member={member} />
        </>
      ) : null}
    </>
  );
}
