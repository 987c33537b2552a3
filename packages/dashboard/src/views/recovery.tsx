import { harmlessText, type OpenRecoveryView, staysInPlace } from '@understudy/shared/browser';
import { predictedEnd } from '../model/prediction.ts';
import { type Bar, timeline } from '../model/timeline.ts';
import { spanText } from '../model/times.ts';
import { past, serverNowMs } from '../store.ts';
import { When } from './small.tsx';

const percent = (part: number): string => `${(part * 100).toFixed(2)}%`;

const STATE_WORD = { started: 'runs', done: 'done', failed: 'failed' } as const;

function BarRow({ bar }: { readonly bar: Bar }) {
  const failing = bar.failures > 0 ? ` · failed ${bar.failures} times in a row` : '';
  return (
    <li class={`bar-row ${bar.state}`}>
      <span class="bar-step">{bar.step}</span>
      <span class="bar-track">
        <span class="bar" style={{ left: percent(bar.from), width: percent(Math.max(bar.length, 0.004)) }} />
      </span>
      <span class="bar-time">{spanText(bar.tookMs)}</span>
      <span class="bar-state">{STATE_WORD[bar.state]}</span>
      {bar.text ? <span class="bar-text">{harmlessText(bar.text) + failing}</span> : null}
    </li>
  );
}

interface Times {
  readonly startedAtWallMs: number;
  readonly nowWallMs: number;
  readonly endsAtWallMs: number | null;
}

/** The steps of a recovery as bars, from its beginning to its (predicted) end. */
export function Steps({ steps, times }: { readonly steps: OpenRecoveryView['steps']; readonly times: Times }) {
  const { bars, now } = timeline(steps, times);
  if (bars.length === 0) return <p class="note">No step has begun yet.</p>;
  return (
    <div class="steps">
      <ol>
        {bars.map((bar) => (
          <BarRow key={bar.step} bar={bar} />
        ))}
      </ol>
      {now < 1 ? (
        <div class="now-track" aria-hidden="true">
          <span class="now-line" style={{ left: percent(now) }} />
        </div>
      ) : null}
    </div>
  );
}

/** An open recovery: who, what it is doing, its steps, and when it will probably end. */
export function OpenRecovery({ open, linked = true }: { readonly open: OpenRecoveryView; readonly linked?: boolean }) {
  const nowWallMs = serverNowMs.value;
  const { endsAtWallMs, text, overdue } = predictedEnd(open, past.value, nowWallMs);
  const { startedAtWallMs, oldInstanceId, newInstanceId, activity, hold, strategy = '' } = open;
  return (
    <article class={`recovery ${hold ? 'held' : 'recovering'}`}>
      <header>
        <h3>{linked ? <a href={`/members/${open.member}`}>{open.member}</a> : open.member}</h3>
        <span class="ids">
          <code>{oldInstanceId}</code>{' '}
          {staysInPlace({ strategy }) ? (
            'stays'
          ) : (
            <>
              <span aria-hidden="true">→</span>
              <span class="only-heard"> replaced by </span> <code>{newInstanceId ?? 'not launched yet'}</code>
            </>
          )}
        </span>
        <span class="note">
          <code>{open.opId}</code>
          {strategy === '' ? '' : ` · by ${strategy}`} · began <When at={startedAtWallMs} />
        </span>
      </header>
      <p class="why">Because: {harmlessText(open.reason)}</p>
      {hold ? (
        <p class="hold-text">
          <strong>Held: {hold.reason}.</strong> {harmlessText(hold.text)}
        </p>
      ) : null}
      {activity && !open.steps.some((step) => step.text === activity) ? (
        <p class="activity">{harmlessText(activity)}</p>
      ) : null}
      <Steps steps={open.steps} times={{ startedAtWallMs, nowWallMs, endsAtWallMs }} />
      <p class={overdue ? 'prediction overdue' : 'prediction'}>{text}</p>
    </article>
  );
}
