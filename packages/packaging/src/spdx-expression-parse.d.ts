/** The package brings no types. */
declare module 'spdx-expression-parse' {
  /** @throws Error on what is no SPDX expression. */
  export default function parse(text: string): unknown;
}
