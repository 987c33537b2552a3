import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { goTo } from '../adapters/router.ts';

const isShown = signal(false);

const KEYS = [
  ['/', 'search'],
  ['j, k', 'next, previous member or row'],
  ['Enter', 'open it'],
  ['g f', 'the fleet'],
  ['g h', 'history'],
  ['g c', 'the cluster'],
  ['Esc', 'close, or leave the search'],
  ['?', 'this list'],
] as const;

const ROWS = 'a.tile, .recovery h3 a, .attention a, details.past > summary';

function move(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>(ROWS)];
  const at = document.activeElement instanceof HTMLElement ? rows.indexOf(document.activeElement) : -1;
  const next = at === -1 ? (by === 1 ? 0 : rows.length - 1) : at + by;
  rows[next]?.focus();
  rows[next]?.scrollIntoView({ block: 'nearest' });
}

const PAGES = { f: 'fleet', h: 'history', c: 'cluster' } as const;

/** Keys that people know from other pages. They do nothing while somebody types. */
export function followKeys(): void {
  let before = '';
  addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) {
      if (key === 'Escape') target.blur();
      return;
    }
    const went = before === 'g' && (key === 'f' || key === 'h' || key === 'c');
    if (went) goTo({ page: PAGES[key] });
    before = key;
    if (key === '/') document.querySelector<HTMLInputElement>('#search')?.focus();
    else if (key === 'j') move(1);
    else if (key === 'k') move(-1);
    else if (key === '?') isShown.value = true;
    else if (!went) return;
    event.preventDefault();
  });
}

export function KeysDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = isShown.value;
  useEffect(() => {
    if (shown && dialog.current && !dialog.current.open) dialog.current.showModal();
  }, [shown]);
  if (!shown) return null;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="keys-title"
      onClose={() => {
        isShown.value = false;
      }}
    >
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" class="form-buttons">
        <button type="submit" class="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
