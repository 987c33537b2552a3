import { useEffect, useState } from 'preact/hooks';
import { deedText, harmlessText, hookEndText, type HistoryRecord } from '@understudy/shared/browser';
import { handBackCommand } from '../model/hand-back.ts';
import { commandOf } from '../model/place.ts';
import { spanText } from '../model/times.ts';
import { past, readPast } from '../store.ts';
import { Steps } from './recovery.tsx';
import { Chip, CopyCommand, When } from './small.tsx';

const FENCE_WORD = { stopped: 'seen stopped', terminated: 'seen terminated', lease: 'serve lease waited out' } as const;

function Facts({ one }: { readonly one: HistoryRecord }) {
  const facts: readonly (readonly [string, string])[] = [
    ['recovery', one.opId],
    ...(one.strategy === undefined ? [] : [['by', one.strategy] as const]),
    ...(one.ladder ?? []).flatMap(({ rung, said, why }) =>
      said === 'tried' || said === 'skipped' ? [[`${rung} ${said}`, why] as const] : [],
    ),
    ...(one.volumePaths ?? []).map(({ volumeId, path }) => [`disk ${volumeId}`, `by ${path}`] as const),
    ['old instance', `${one.oldInstanceId} in ${one.oldAz}`],
    ['new instance', one.newInstanceId ?? 'none'],
    ...(one.deeds ?? []).map((deed) => ['api call', deedText(one.oldInstanceId, deed)] as const),
    ['fenced by', one.fencedBy === null ? 'not known' : FENCE_WORD[one.fencedBy]],
    ['launch attempts', String(one.launchAttempts)],
    ['leader changes meanwhile', String(one.leaderChanges)],
    ...(one.losses ?? []).map(({ text }) => ['lost', text] as const),
    ...(one.leftAs ?? []).map((text) => ['left as', text] as const),
    ...(one.failureHooks ?? []).map((hook) => [`hook ${hook.name}`, hookEndText(hook)] as const),
    ...(one.acts ?? []).map(({ by, kind, why }) => [`${kind} by ${by}`, why] as const),
  ];
  return (
    <dl class="facts">
      {facts.map(([name, text], index) => (
        <div key={`${name} ${index}`}>
          <dt>{harmlessText(name)}</dt>
          <dd>{harmlessText(text)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Code that made the old instance names it still. */
function HandBack({ one }: { readonly one: HistoryRecord }) {
  const command = handBackCommand(one);
  return command === null ? null : (
    <p class="note">
      Made by CloudFormation or Terraform? What took the place of what, and how the code takes it over:{' '}
      <CopyCommand command={command} />
    </p>
  );
}

/** One ended recovery. It opens to its steps. */
export function PastRecovery({ one, named = true }: { readonly one: HistoryRecord; readonly named?: boolean }) {
  const { startedAtWallMs, endedAtWallMs, outcome } = one;
  return (
    <details class="past">
      <summary>
        <Chip kind={outcome} text={outcome} />
        {named ? <span class="past-member">{one.member}</span> : null}
        <span class="past-why">{harmlessText(one.reason)}</span>
        <span class="note">
          took {spanText(endedAtWallMs - startedAtWallMs)}
          {one.predictedMs === undefined ? '' : ` (${spanText(one.predictedMs)} predicted)`}, ended{' '}
          <When at={endedAtWallMs} />
        </span>
      </summary>
      <Facts one={one} />
      <Steps steps={one.steps} times={{ startedAtWallMs, nowWallMs: endedAtWallMs, endsAtWallMs: endedAtWallMs }} />
      <HandBack one={one} />
      {named ? (
        <p>
          <a href={`/members/${one.member}`}>{one.member} now</a>
        </p>
      ) : null}
    </details>
  );
}

export function HistoryPage() {
  const [wanted, setWanted] = useState('');
  useEffect(() => void readPast(), []);
  const shown = past.value.filter((one) => `${one.member} ${one.reason} ${one.outcome}`.includes(wanted.trim()));
  return (
    <>
      <div class="page-head">
        <h1>History</h1>
        <CopyCommand command={commandOf({ page: 'history' })} />
      </div>
      <label class="search">
        <span class="only-heard">Search the history</span>
        <input
          id="search"
          type="search"
          placeholder="Search: member, reason, outcome"
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      {shown.map((one) => (
        <PastRecovery key={`${one.member} ${one.opId}`} one={one} />
      ))}
      {shown.length === 0 ? (
        <p class="empty">{past.value.length === 0 ? 'No recovery has ended yet.' : 'None fits.'}</p>
      ) : null}
    </>
  );
}
