import { useEffect, useState } from 'preact/hooks';
import { harmlessText, type ReadinessView } from '@understudy/shared/browser';
import { readiness } from '../adapters/api.ts';
import { every } from '../adapters/clock.ts';
import { pathOf } from '../model/place.ts';
import { type ReadinessRow, readinessTable } from '../model/readiness.ts';
import { CopyCommand, SectionHead, When } from './small.tsx';

const EVERY_MS = 10_000;

/** Asks again while the page is open; what cannot be had is not shown. */
function useReadiness(): ReadinessView | null {
  const [view, setView] = useState<ReadinessView | null>(null);
  useEffect(() => {
    let isOpen = true;
    const ask = async (): Promise<void> => {
      const answer = await readiness().catch(() => null);
      if (isOpen) setView(answer);
    };
    void ask();
    const stop = every(EVERY_MS, () => void ask());
    return () => {
      isOpen = false;
      stop();
    };
  }, []);
  return view;
}

const HEADINGS = ['Member', 'Readiness', 'Back after, on a bad day', 'Loses', 'In the way', 'Looked at'];

const Row = ({ member, verdict, backAfter, loses, inTheWay, lookedAtWallMs }: ReadinessRow) => (
  <tr>
    <th scope="row">
      <a href={pathOf({ page: 'member', member })}>{harmlessText(member)}</a>
    </th>
    <td>{verdict}</td>
    <td>{backAfter}</td>
    <td>{loses}</td>
    <td>{harmlessText(inTheWay)}</td>
    <td>{lookedAtWallMs === null ? 'never' : <When at={lookedAtWallMs} />}</td>
  </tr>
);

/** What would become of each member if it failed now, the worst first. */
export function Readiness() {
  const table = readinessTable(useReadiness());
  if (table === null || table.rows.length === 0) return null;
  return (
    <section aria-label="Readiness">
      <SectionHead title="If it failed now" note={table.counts} />
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Readiness of members">
        <table>
          <thead>
            <tr>
              {HEADINGS.map((text) => (
                <th key={text} scope="col">
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row) => (
              <Row key={row.member} {...row} />
            ))}
          </tbody>
        </table>
      </div>
      {table.moreCount === 0 ? null : <p class="empty">And {table.moreCount} more that are no worse.</p>}
      <CopyCommand command="understudy readiness" />
    </section>
  );
}
