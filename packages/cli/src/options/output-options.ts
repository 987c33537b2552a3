import type { OutputOptions } from '../watch.ts';
import type { ClientOptions } from './client-options.ts';

/** The shared options of a read. */
export interface ReadOptions extends ClientOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

export const outputOf = (options: { readonly json?: boolean; readonly watch?: boolean }): OutputOptions => ({
  json: options.json === true,
  watch: options.watch === true,
});
