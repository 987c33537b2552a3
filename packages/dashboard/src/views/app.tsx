import { useEffect } from 'preact/hooks';
import { currentSession, logOut } from '../adapters/api.ts';
import { onLink, place } from '../adapters/router.ts';
import { applyTheme, type Theme } from '../adapters/theme.ts';
import { freshnessNow, fleet, headlineNow, isOld, session, status, theme } from '../store.ts';
import { ActDialog } from './act-dialog.tsx';
import { ClusterPage } from './cluster-page.tsx';
import { HistoryPage } from './history-page.tsx';
import { InventoryPage } from './inventory-page.tsx';
import { KeysDialog } from './keys-dialog.tsx';
import { Login } from './login.tsx';
import { MemberPage } from './member-page.tsx';
import { Overview } from './overview.tsx';
import { Mark } from './small.tsx';

const LINKS = [
  ['/', 'Fleet', 'fleet'],
  ['/history', 'History', 'history'],
  ['/cluster', 'Cluster', 'cluster'],
  ['/inventory', 'Inventory', 'inventory'],
] as const;

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

function ThemeChoice() {
  return (
    <label class="theme">
      <span class="only-heard">Colours</span>
      <select
        value={theme.value}
        onChange={(event) => {
          theme.value = applyTheme(THEMES.find((one) => one === event.currentTarget.value) ?? 'system');
        }}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function Who() {
  const who = session.value;
  if (who === null || who === 'unknown') return null;
  const leave = async (): Promise<void> => {
    await logOut(who).catch(() => undefined);
    // Where everybody may read, one goes on reading.
    session.value = await currentSession().catch(() => null);
  };
  return (
    <span class="who">
      <span class="note">
        {who.name ?? 'everybody'} · {who.mayOperate ? 'may operate' : 'may read'}
      </span>
      {who.csrf === null ? (
        <a href="/login">Log in</a>
      ) : (
        <button type="button" class="quiet" onClick={() => void leave()}>
          Log out
        </button>
      )}
    </span>
  );
}

function Header() {
  return (
    <header class="top">
      <a class="brand" href="/">
        Understudy
      </a>
      <nav aria-label="Pages">
        {LINKS.map(([path, text, page]) => (
          <a key={path} href={path} aria-current={place.value.page === page ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <span class="grow" />
      <ThemeChoice />
      <Who />
    </header>
  );
}

/** Other coordinators that show the same page. */
function Others() {
  const told = status.value;
  const others = told?.coordinators.filter(({ coordinatorId }) => coordinatorId !== told.coordinatorId) ?? [];
  if (others.length === 0) return null;
  return (
    <>
      {' '}
      Others show the same:{' '}
      {others.map(({ coordinatorId, httpUrl }) => (
        <a key={coordinatorId} href={`${httpUrl}${location.pathname}`}>
          {coordinatorId}
        </a>
      ))}
    </>
  );
}

function Banner() {
  const { text, kind } = freshnessNow.value;
  if (text === null) return null;
  return (
    <div class={`banner ${kind}`} role="alert">
      <strong>{kind === 'gone' ? 'Not current.' : 'etcd is not reached.'}</strong> {text}
      <Others />
    </div>
  );
}

/** The line that is read first. It is said aloud when its words change, and nothing else is. */
function Line() {
  const line = headlineNow.value;
  if (!line) return <p class="headline unknown">Waiting for the first answer</p>;
  return (
    <div class={`headline ${line.tone}`}>
      <p aria-live="polite">
        <Mark kind={line.tone} /> {isOld.value ? 'As last known: ' : ''}
        {line.text}
      </p>
      <p class="facts-line">{line.facts.join(' · ')}</p>
    </div>
  );
}

function Page() {
  const at = place.value;
  if (at.page === 'member') return <MemberPage key={at.member} member={at.member} />;
  if (at.page === 'history') return <HistoryPage />;
  if (at.page === 'cluster') return <ClusterPage />;
  if (at.page === 'inventory') return <InventoryPage />;
  if (at.page !== 'nowhere') return <Overview />;
  return (
    <p class="empty">
      There is no page <code>{at.path}</code>. <a href="/">The fleet</a>
    </p>
  );
}

const titleOf = (): string => {
  const line = headlineNow.value?.text;
  return line ? `${line} · Understudy` : 'Understudy';
};

export function App() {
  const title = titleOf();
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (session.value === null || place.value.page === 'login') return <Login />;
  return (
    // Links inside are followed without a new page; every one of them is a link all the same.
    <div class={isOld.value ? 'app old' : 'app'} onClick={onLink}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <Banner />
      <main id="main" tabIndex={-1}>
        <Line />
        {fleet.value === null ? null : <Page />}
      </main>
      <footer class="note">
        Press <kbd>?</kbd> for keys
      </footer>
      <ActDialog />
      <KeysDialog />
    </div>
  );
}
