import { type ExplainView, harmlessText } from '@understudy/shared/browser';
import { spanText } from '../model/times.ts';
import { Chip, SectionHead } from './small.tsx';

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
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Ways back">
        <table class="stacks">
          <thead>
            <tr>
              <th scope="col">Way</th>
              <th scope="col">Now</th>
              <th scope="col">Given</th>
              <th scope="col">Because</th>
            </tr>
          </thead>
          <tbody>
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
          </tbody>
        </table>
      </div>
    </section>
  );
}
