import { useState } from 'preact/hooks';
import { type EnrolmentsView, harmlessText } from '@understudy/shared/browser';
import { enrolments } from '../adapters/api.ts';
import { enrolmentOf } from '../model/enrolments.ts';
import { resetEnrolmentAct } from '../model/commands.ts';
import { ActButton } from './act-dialog.tsx';
import { useAskedAgain } from './asked-again.ts';
import { SectionHead, When } from './small.tsx';

const EVERY_MS = 10_000;

/** Asks again while the page is open; what cannot be had is not shown. */
function useEnrolments(): EnrolmentsView | null {
  const [view, setView] = useState<EnrolmentsView | null>(null);
  useAskedAgain(EVERY_MS, [], async (isOpen) => {
    const answer = await enrolments().catch(() => null);
    if (isOpen() && answer !== null) setView(answer);
  });
  return view;
}

/** Who was given this member's key for the identity of its instance, and who asked in vain. */
export function KeyEnrolment({ member }: { readonly member: string }) {
  const found = enrolmentOf(useEnrolments(), member);
  if (found === null) return null;
  const { given, refused } = found;
  return (
    <section>
      <SectionHead title="Key by identity" note={refused.length === 0 ? undefined : `${refused.length} refused`} />
      {given === null ? (
        <p class="empty">No instance of it was given its key.</p>
      ) : (
        <p>
          Given to <code>{harmlessText(given.instanceId)}</code>
          {given.activated ? '' : ', which is not activated,'} at {harmlessText(given.address)}, key id {given.keyId},{' '}
          <When at={given.atWallMs} />. <ActButton act={resetEnrolmentAct(member)} label="Reset" kind="danger-quiet" />
        </p>
      )}
      {refused.length === 0 ? null : (
        <ul class="plain warnings">
          {refused.map(({ address, reason, text, count, lastWallMs }) => (
            <li key={`${address} ${reason}`}>
              <strong>{harmlessText(reason)}</strong> from {harmlessText(address)}
              {count === 1 ? '' : `, ${count} times`}, <When at={lastWallMs} />: {harmlessText(text)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
