import { useState } from 'preact/hooks';
import { logIn, Refused } from '../adapters/api.ts';
import { goTo, place } from '../adapters/router.ts';
import { session } from '../store.ts';

/** Takes a token once, and keeps nothing of it: the server gives a cookie for it. */
export function Login() {
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isUnderWay, setUnderWay] = useState(false);
  const submit = async (): Promise<void> => {
    setUnderWay(true);
    try {
      session.value = await logIn(token.trim());
      if (place.peek().page === 'login') goTo({ page: 'fleet' });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      setTrouble(error instanceof Refused && error.status === 401 ? 'No token of this cluster.' : text);
    } finally {
      setToken('');
      setUnderWay(false);
    }
  };
  return (
    <main class="login" id="main">
      <h1>Understudy</h1>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label>
          Token
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            required
            autoFocus
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {trouble ? (
          <p class="outcome refused" role="alert">
            {trouble}
          </p>
        ) : null}
        <button type="submit" class="primary" disabled={isUnderWay || token.trim() === ''}>
          Log in
        </button>
      </form>
      <p class="note">
        A token of role <em>read</em> sees everything here. One of role <em>operate</em> may also pause, resume, release
        holds and replace members.
      </p>
    </main>
  );
}
