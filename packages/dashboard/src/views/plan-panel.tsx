import { useState } from 'preact/hooks';
import {
  harmlessText,
  LADDER_RUNGS,
  permissionCounts,
  permissionsText,
  type PlannedStepView,
  type PlanView,
  preparedText,
  shownLines,
} from '@understudy/shared/browser';
import { lookAt } from '../adapters/api.ts';
import { spanText } from '../model/times.ts';
import { PlannedRungs } from './rungs.tsx';
import { Chip, SectionHead, Table, When } from './small.tsx';

const WORD = {
  allowed: ['passes', 'allowed'],
  denied: ['blocks', 'denied'],
  refused: ['blocks', 'refused'],
  'not-asked': ['neutral', 'not asked yet'],
  'cannot-be-asked': ['neutral', 'cannot be asked'],
} as const;

const BASIS = { published: 'by published figures', measured: 'as measured here', unknown: 'a guess' } as const;

function Calls({ calls }: { readonly calls: PlannedStepView['calls'] }) {
  if (calls === null) return <p class="note">Its calls are not told by this build.</p>;
  if (calls.length === 0) return <p class="note">It calls nothing outside.</p>;
  return (
    <ul class="plain">
      {calls.map(({ action, parameters, when, permission }, index) => {
        const [kind, text] = WORD[permission.word];
        return (
          <li key={`${action} ${index}`}>
            <details>
              <summary>
                <code>{harmlessText(action)}</code> <Chip kind={kind} text={text} />
                {when === null ? null : <span class="note"> only if {harmlessText(when)}</span>}
              </summary>
              {permission.text === '' ? null : <p class="note">{harmlessText(permission.text)}</p>}
              <pre tabIndex={0}>{shownLines(JSON.stringify(parameters, null, 2)).join('\n')}</pre>
            </details>
          </li>
        );
      })}
    </ul>
  );
}

function Steps({ steps }: { readonly steps: readonly PlannedStepView[] }) {
  return (
    <Table label="Steps of the plan" headings={['Step', 'After', 'Takes', 'Calls, and EC2’s word on each']} stacks>
      {steps.map(({ id, needs, onFailure, takes, basis, calls }) => (
        <tr key={id}>
          <th scope="row">{id}</th>
          <td data-label="After">{onFailure ? 'only a failed attempt' : needs.join(', ') || 'at once'}</td>
          <td data-label="Takes">
            {takes === null ? '–' : `about ${spanText(takes.typicalMs)}`}
            {basis === null ? null : <span class="note"> {BASIS[basis]}</span>}
          </td>
          <td data-label="Calls">
            <Calls calls={calls} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Forecast({ view }: { readonly view: PlanView }) {
  const { forecast, candidates } = view;
  return (
    <ul class="plain">
      {forecast === null ? null : (
        <>
          <li>
            Serves again after about {spanText(forecast.servesAfter.typicalMs)}, {spanText(forecast.servesAfter.slowMs)}{' '}
            on a bad day.
          </li>
          <li>
            {forecast.losesSinceWallMs === null ? (
              'Nothing that is on its disks is lost.'
            ) : (
              <>
                Lost is what was written since <When at={forecast.losesSinceWallMs} />.
              </>
            )}
          </li>
          <li>{harmlessText(forecast.undo)}</li>
        </>
      )}
      {view.undo === undefined || view.undo.code === 'NothingToUndo' ? null : (
        <li>
          The last recovery {view.undo.isPossible ? 'can' : 'cannot'} be undone
          {view.undo.untilWallMs === null ? null : (
            <>
              {' '}
              until <When at={view.undo.untilWallMs} />
            </>
          )}
          <span class="note"> {harmlessText(view.undo.text)}</span>
        </li>
      )}
      {view.prepared === undefined ? null : <li>Prepared: {harmlessText(preparedText(view.prepared))}.</li>}
      {candidates.map(({ instanceType, az, subnetId }, index) => (
        <li key={`${subnetId} ${instanceType}`}>
          {index === 0 ? 'Launched as' : 'or as'} {instanceType} in {az} (<code>{subnetId}</code>)
        </li>
      ))}
      {view.volumes.map(({ volumeId, deviceName, path, why }) => (
        <li key={volumeId}>
          <code>{deviceName}</code> by {path}
          {why === '' ? null : <span class="note"> {harmlessText(why)}</span>}
        </li>
      ))}
    </ul>
  );
}

function Shown({ view }: { readonly view: PlanView }) {
  const findings = [...view.problems, ...view.notices, ...view.losses];
  return (
    <>
      {view.supposes === undefined ? null : <p class="note">The plan: {harmlessText(view.supposes.text)}.</p>}
      {view.strategy === null ? null : (
        <p class="lead">
          By {view.strategy.name}: {harmlessText(view.strategy.why)}
        </p>
      )}
      <PlannedRungs rungs={view.rungs} />
      <Forecast view={view} />
      {view.steps.length === 0 ? null : <Steps steps={view.steps} />}
      {view.steps.length === 0 ? null : (
        <p class="note">EC2: {permissionsText(permissionCounts(view.steps.flatMap(({ calls }) => calls ?? [])))}.</p>
      )}
      {findings.length === 0 ? null : (
        <ul class="plain warnings">
          {findings.map(({ code, text }, index) => (
            <li key={`${code} ${index}`}>
              <strong>{code}</strong> {harmlessText(text)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What a recovery would do now. It is asked for by a click, because it costs reads of EC2. */
export function PlanPanel({ member }: { readonly member: string }) {
  const [answer, setAnswer] = useState<{ view: PlanView | null; trouble: string | null; asked: boolean }>({
    ...{ view: null, trouble: null, asked: false },
  });
  const [way, setWay] = useState('');
  const ask = async (): Promise<void> => {
    setAnswer((before) => ({ ...before, asked: true }));
    try {
      const view = (await lookAt(`/v1/members/${member}/plan${way === '' ? '' : `?strategy=${way}`}`)) as PlanView;
      setAnswer({ view, trouble: null, asked: false });
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      setAnswer((before) => ({ ...before, trouble, asked: false }));
    }
  };
  return (
    <section class="plan-panel">
      <SectionHead title="Plan" note="what a recovery would do if it began now; it changes nothing" />
      <label>
        By{' '}
        <select value={way} onChange={(event) => setWay(event.currentTarget.value)}>
          <option value="">the way that fits</option>
          {LADDER_RUNGS.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>{' '}
      <button type="button" class="quiet" disabled={answer.asked} onClick={() => void ask()}>
        {answer.view === null ? 'Show the plan' : 'Make it anew'}
      </button>
      {answer.trouble === null ? null : (
        <p class="outcome refused" role="status">
          {harmlessText(answer.trouble)}
        </p>
      )}
      {answer.view === null ? null : <Shown view={answer.view} />}
    </section>
  );
}
