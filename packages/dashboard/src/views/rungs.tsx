import { type ExplainView, harmlessText, type PlanView } from '@understudy/shared/browser';
import { spanText } from '../model/times.ts';
import { Chip, SectionHead, Table } from './small.tsx';

const SAID = {
  taken: ['recovering', 'next'],
  tried: ['not-mended', 'tried'],
  skipped: ['neutral', 'left out'],
  later: ['neutral', 'later'],
} as const;

/** The ways of the ladder: which was tried, which is taken, which are left out, and why. */
export function Rungs({ view: { rungs = [], openRecovery } }: { readonly view: ExplainView }) {
  if (rungs.length === 0) return null;
  return (
    <section class="rungs">
      <SectionHead title="Ways back" note="from the one that changes least; the first that fits is taken" />
      <Table label="Ways back" headings={['Way', 'Now', 'Given', 'Because']} stacks>
        {rungs.map(({ rung, said, why, deadlineMs }) => {
          const [kind, word] = SAID[said];
          return (
            <tr key={rung}>
              <th scope="row">{harmlessText(rung)}</th>
              <td>
                <Chip kind={kind} text={said === 'taken' && openRecovery ? 'under way' : word} />
              </td>
              <td class="number" data-label="Given">
                {deadlineMs === null ? 'no limit' : spanText(deadlineMs)}
              </td>
              <td>{harmlessText(why)}</td>
            </tr>
          );
        })}
      </Table>
    </section>
  );
}

/** The ways of a plan, each with its condition, its deadline, its proof and the next one. */
export function PlannedRungs({ rungs }: Pick<PlanView, 'rungs'>) {
  if (rungs.length === 0) return null;
  return (
    <Table
      label="Ways back by the plan"
      headings={['Way', 'Here', 'Given', 'Because', 'It has helped when', 'If not']}
      stacks
    >
      {rungs.map(({ rung, said, why, deadlineMs, proof, next }) => {
        const isLeftOut = said === 'skipped' || said === 'tried';
        return (
          <tr key={rung}>
            <th scope="row">{harmlessText(rung)}</th>
            <td>
              <Chip kind={SAID[said][0]} text={said === 'taken' ? 'begins here' : SAID[said][1]} />
            </td>
            <td class="number" data-label="Given">
              {isLeftOut ? '–' : deadlineMs === null ? 'no limit' : spanText(deadlineMs)}
            </td>
            <td data-label="Because">{harmlessText(why)}</td>
            <td data-label="Helped when">{isLeftOut ? '–' : harmlessText(proof)}</td>
            <td data-label="If not">{isLeftOut ? '–' : (next ?? 'a person is waited for')}</td>
          </tr>
        );
      })}
    </Table>
  );
}

/** How each disk of an open recovery gets to where the member serves again. */
export function Disks({ view: { openRecovery } }: { readonly view: ExplainView }) {
  const { volumes = [] } = openRecovery ?? {};
  if (volumes.length === 0) return null;
  return (
    <section>
      <SectionHead title="Disks" note="the path of each, and why that one" />
      <ul class="plain">
        {volumes.map(({ volumeId, deviceName, path, why }) => (
          <li key={volumeId}>
            <code>{harmlessText(deviceName)}</code> <code>{volumeId}</code>: {path}
            {why === '' ? null : <span class="note"> {harmlessText(why)}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
