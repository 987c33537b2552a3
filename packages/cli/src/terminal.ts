import { harmless, harmlessJson, harmlessLines, harmlessText } from '@understudy/shared';

/** Text made of harmless values only. Colours in it are ours. */
export type Shown = string & { readonly shown: unique symbol };

/**
 * The one way to the terminal. The content of a view comes from records, tags, agents and other
 * people. So every text in it is made harmless before the view adds its own colours; JSON is
 * escaped. `test/unit/tidy.test.ts` lets nothing else of the command write there.
 */
export const shownOf = <T>(value: T, view: (value: T) => string): Shown => view(harmless(value)) as Shown;

export const shownText = (text: string): Shown => harmlessText(text) as Shown;

/** `indent`: 0 for one line. */
export const shownJson = (value: unknown, indent: 0 | 2): Shown =>
  harmlessJson(JSON.stringify(value, null, indent)) as Shown;

export function print(shown: Shown): void {
  process.stdout.write(`${shown}\n`);
}

/** Prints a text of our own as it is, with the tabs and line breaks that a shell wants. */
export function printScript(script: string): void {
  process.stdout.write(script);
}

/** Prints to standard error. Line breaks of the text are kept. */
export function complain(text: string): void {
  process.stderr.write(`${harmlessLines(text)}\n`);
}
