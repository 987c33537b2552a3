import { harmlessText } from '@understudy/shared/browser';
import { type Attention, attentionOf } from '../model/attention.ts';
import { releaseAct, resumeAct } from '../model/commands.ts';
import { status } from '../store.ts';
import { ActButton } from './act-dialog.tsx';
import { CopyCommand, SectionHead, When } from './small.tsx';

const KIND_WORD = { hold: 'Held', pause: 'Paused', problem: 'Problem', request: 'Asked for' } as const;

function Act({ one }: { readonly one: Attention }) {
  if (one.kind === 'pause' && one.scope !== null) return <ActButton act={resumeAct(one.scope)} label="Resume" />;
  // Only what was tried can be tried again; other holds go with their cause.
  const isTried = status.value?.recoveries.some(({ member }) => member === one.member) === true;
  if (one.kind === 'hold' && one.member !== null && isTried)
    return <ActButton act={releaseAct(one.member)} label="Release hold" />;
  return null;
}

export function AttentionRow({ one }: { readonly one: Attention }) {
  return (
    <li class={`attention ${one.kind}`}>
      <div class="attention-what">
        <span class="attention-kind">{KIND_WORD[one.kind]}</span>
        {one.member ? <a href={`/members/${one.member}`}>{one.member}</a> : null}
        <span class="attention-label">{one.label}</span>
        {one.sinceWallMs ? (
          <span class="note">
            began <When at={one.sinceWallMs} />
          </span>
        ) : null}
        {one.untilWallMs ? (
          <span class="note">
            ends <When at={one.untilWallMs} />
          </span>
        ) : null}
        {one.kind === 'pause' && one.untilWallMs === null ? <span class="note">until somebody resumes</span> : null}
      </div>
      <p>{harmlessText(one.text)}</p>
      {one.remedy ? <p class="remedy">{one.remedy}.</p> : null}
      <div class="attention-acts">
        <Act one={one} />
        {one.commands.map((command) => (
          <CopyCommand key={command} command={command} />
        ))}
      </div>
    </li>
  );
}

/** Holds, problems and pauses. Nothing where there are none. */
export function AttentionList() {
  const all = status.value ? attentionOf(status.value) : [];
  if (all.length === 0) return null;
  return (
    <section aria-label="Needs attention">
      <SectionHead title="Needs attention" note={String(all.length)} />
      <ul class="attentions">
        {all.map((one) => (
          <AttentionRow key={one.key} one={one} />
        ))}
      </ul>
    </section>
  );
}
