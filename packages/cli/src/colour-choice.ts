const CHOICES: Readonly<Record<string, boolean | null>> = { always: true, never: false, auto: null };

/** The value of the last `--color WHEN` or `--color=WHEN`, wherever it stands. */
function asked(words: readonly string[]): string | undefined {
  const values = words.flatMap((word, index) => {
    if (word.startsWith('--color=')) return [word.slice('--color='.length)];
    return word === '--color' ? [words[index + 1] ?? ''] : [];
  });
  return values.at(-1);
}

/**
 * Whether colours are shown. `--color` decides, then FORCE_COLOR, which is left to the library
 * (null). Without them there are colours only on a terminal that is not `dumb`, and none where
 * NO_COLOR says something (https://no-color.org).
 */
export function colourOf(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  isTerminal: boolean,
): boolean | null {
  const choice = CHOICES[asked(words) ?? 'auto'] ?? null;
  if (choice !== null) return choice;
  const { FORCE_COLOR = '', NO_COLOR = '', TERM } = environment;
  if (FORCE_COLOR !== '') return null;
  return isTerminal && NO_COLOR === '' && TERM !== 'dumb';
}
