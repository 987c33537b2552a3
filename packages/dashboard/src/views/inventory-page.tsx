import { useEffect, useState } from 'preact/hooks';
import {
  harmlessText,
  type InventoryPage as Page,
  type InventoryStanding,
  type InventoryVersion,
  shownLines,
} from '@understudy/shared/browser';
import { lookAt, Refused } from '../adapters/api.ts';
import {
  commandFor,
  gistOf,
  isCovered,
  joined,
  momentAt,
  momentText,
  questionOf,
  SLIDER_STEPS,
  sliderRange,
} from '../model/inventory.ts';
import { absoluteText } from '../model/times.ts';
import { Chip, CopyCommand } from './small.tsx';

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function Resource({ one }: { readonly one: InventoryVersion }) {
  const { id, validFromWallMs, validToWallMs, end, changedBy } = one;
  return (
    <details class="past resource">
      <summary>
        <span class="past-member">{harmlessText(id)}</span>
        <span class="past-why">{harmlessText(gistOf(one))}</span>
        <span class="note">
          since {absoluteText(validFromWallMs)}
          {validToWallMs === null ? '' : `, ${end ?? 'ended'} ${absoluteText(validToWallMs)}`}
        </span>
      </summary>
      {changedBy === null ? null : <p>Changed by {harmlessText(changedBy)}.</p>}
      <pre tabIndex={0}>{shownLines(JSON.stringify(one.document, null, 2)).join('\n')}</pre>
    </details>
  );
}

function Slider({
  step,
  text,
  onMove,
  onSet,
}: {
  readonly step: number;
  readonly text: string;
  readonly onMove: (step: number) => void;
  readonly onSet: (step: number) => void;
}) {
  return (
    <label class="time-slider">
      <span>
        As it was at <strong>{text}</strong>
      </span>
      <input
        type="range"
        min={0}
        max={SLIDER_STEPS}
        value={step}
        aria-valuetext={text}
        onInput={(event) => onMove(Number(event.currentTarget.value))}
        onChange={(event) => onSet(Number(event.currentTarget.value))}
      />
    </label>
  );
}

/** The resources of a kind at the time that the slider says. */
function Kind({ standing, kind }: { readonly standing: InventoryStanding; readonly kind: string }) {
  const range = sliderRange(standing, kind);
  const [moved, setMoved] = useState(SLIDER_STEPS);
  const [step, setStep] = useState(SLIDER_STEPS);
  const [where, setWhere] = useState('');
  const [page, setPage] = useState<Page | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const atWallMs = range === null ? null : momentAt(range, step);
  const read = async (before: Page | null): Promise<void> => {
    try {
      const answer = await lookAt(questionOf(kind, { atWallMs, where, cursor: before?.next ?? null }));
      setPage(joined(before, answer as Page));
      setProblem(null);
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  useEffect(() => void read(null), [kind, atWallMs]);
  return (
    <>
      {range === null ? null : (
        <Slider step={moved} text={momentText(momentAt(range, moved))} onMove={setMoved} onSet={setStep} />
      )}
      {isCovered(standing, kind, atWallMs) ? null : (
        <p class="note" role="status">
          Nobody looked then: it is as it was last seen before.
        </p>
      )}
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          void read(null);
        }}
      >
        <label>
          <span class="only-heard">An id, or a condition</span>
          <input
            type="search"
            placeholder="An id, or a condition: State.Name=stopped"
            value={where}
            onInput={(event) => setWhere(event.currentTarget.value)}
          />
        </label>
      </form>
      <p>
        <CopyCommand command={commandFor(kind, atWallMs)} />
      </p>
      {problem === null ? null : <p role="alert">{harmlessText(problem)}</p>}
      {page?.versions.map((one) => (
        <Resource key={`${one.id} ${one.validFromWallMs}`} one={one} />
      ))}
      {page?.versions.length === 0 && page.next === null ? (
        <p class="empty">Nothing of the kind was there then.</p>
      ) : null}
      {page === null || page.next === null ? null : (
        <button type="button" onClick={() => void read(page)}>
          More
        </button>
      )}
    </>
  );
}

/** What resources of AWS were like, at any time since crawls began. */
export function InventoryPage() {
  const [standing, setStanding] = useState<InventoryStanding | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [kind, setKind] = useState('instance');
  useEffect(() => {
    lookAt('/v1/inventory').then(
      (answer) => setStanding(answer as InventoryStanding),
      (error: unknown) =>
        setProblem(
          error instanceof Refused && error.code === 'INVENTORY_OFF'
            ? 'No inventory history is kept. It is switched on in the configuration of the coordinators.'
            : wordsOf(error),
        ),
    );
  }, []);
  const known = standing?.kinds.find((one) => one.kind === kind);
  return (
    <>
      <div class="page-head">
        <h1>Inventory</h1>
        {standing === null ? null : (
          <label>
            Kind{' '}
            <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
              {standing.kinds.map((one) => (
                <option key={one.kind} value={one.kind}>
                  {one.kind} ({one.current})
                </option>
              ))}
            </select>
          </label>
        )}
        {known && known.outcome !== null && known.outcome !== 'complete' ? (
          <Chip kind="neutral" text={`last crawl ${known.outcome}`} />
        ) : null}
      </div>
      {problem === null ? null : <p class="empty">{harmlessText(problem)}</p>}
      {known && known.detail !== '' ? <p class="note">{harmlessText(known.detail)}</p> : null}
      {standing === null ? null : <Kind key={kind} standing={standing} kind={kind} />}
    </>
  );
}
