/** Characters that mean nothing to any shell. */
const PLAIN = /^[A-Za-z0-9_/:=.,@%+-]+$/;

/** One word for a POSIX shell, whatever is in it. */
export const shellWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** One line: each next command runs only where the one before it has come to a good end. */
export const inTurn = (commands: readonly string[]): string => commands.join(' && ');
