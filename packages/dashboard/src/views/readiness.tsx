import { useState } from 'preact/hooks';
import { harmlessText, type ReadinessView } from '@understudy/shared/browser';
import { readiness } from '../adapters/api.ts';
import { pathOf } from '../model/place.ts';
import { type ReadinessRow, readinessTable } from '../model/readiness.ts';
import { useAskedAgain } from './asked-again.ts';
import { CopyCommand, SectionHead, Table, When } from './small.tsx';

const EVERY_MS = 10_000;

/** Asks again while the page is open; what cannot be had is not shown. */
function useReadiness(): ReadinessView | null {
  const [view, setView] = useState<ReadinessView | null>(null);
  useAskedAgain(EVERY_MS, [], async (isOpen) => {
    const answer = await readiness().catch(() => null);
    if (isOpen()) setView(answer);
  });
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
      <Table label="Readiness of members" headings={HEADINGS}>
        {table.rows.map((row) => (
          <Row key={row.member} {...row} />
        ))}
      </Table>
      {table.moreCount === 0 ? null : <p class="empty">And {table.moreCount} more that are no worse.</p>}
      <CopyCommand command="understudy readiness" />
    </section>
  );
}
