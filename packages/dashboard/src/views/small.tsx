import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { after } from '../adapters/clock.ts';
import { absoluteText, relativeText } from '../model/times.ts';
import { serverNowMs } from '../store.ts';

/** A moment: how far away it is, and when exactly on hover. */
export function When({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={absoluteText(at)}>
      {relativeText(at, serverNowMs.value)}
    </time>
  );
}

const COPIED_MS = 1_500;

/** The same on a terminal, to be copied. */
export function CopyCommand({ command }: { readonly command: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    const said = (): void => {
      setCopied(true);
      after(COPIED_MS, () => setCopied(false));
    };
    void navigator.clipboard?.writeText(command).then(said, () => undefined);
  };
  return (
    <span class="copy">
      <code>{command}</code>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy the command ${command}`}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </span>
  );
}

/** The verdict as a shape and a word: colour is never alone. */
export const Mark = ({ kind }: { readonly kind: string }) => <span class={`mark ${kind}`} aria-hidden="true" />;

export const Chip = ({ kind, text }: { readonly kind: string; readonly text: string }) => (
  <span class={`chip ${kind}`}>{text}</span>
);

export function SectionHead({ title, note }: { readonly title: string; readonly note?: string | undefined }) {
  return (
    <div class="section-head">
      <h2>{title}</h2>
      {note ? <span class="note">{note}</span> : null}
    </div>
  );
}

/** A table that scrolls in its own frame. `stacks`: on a narrow screen each row is a block. */
export function Table({
  label,
  headings,
  stacks = false,
  children,
}: {
  readonly label: string;
  readonly headings: readonly string[];
  readonly stacks?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table class={stacks ? 'stacks' : undefined}>
        <thead>
          <tr>
            {headings.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
