export type Theme = 'system' | 'light' | 'dark';
const KEY = 'understudy-theme';

/** Storage may be closed to us (private windows, policies): the choice then lasts for this page. */
function stored(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
}

export function applyTheme(theme: Theme = stored()): Theme {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Not kept, then.
  }
  return theme;
}
