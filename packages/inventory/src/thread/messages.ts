import { type ErrorCode, isOperationError, errorText, OperationError } from '@understudy/shared';
import type { InventoryHistory } from '../history.ts';
import type { PostgresPlace } from '../store/postgres/postgres-sql.ts';

/** Where the history is kept. */
export type HistoryPlace =
  | { readonly kind: 'sqlite'; readonly file: string }
  | ({ readonly kind: 'postgres' } & PostgresPlace);

/** `workerData` of the thread. */
export interface HistoryThreadSetup {
  readonly place: HistoryPlace;
}

export type HistoryMethod = Exclude<keyof InventoryHistory, 'close'>;

/** One call from the main thread. */
export interface HistoryCall {
  readonly number: number;
  readonly method: HistoryMethod | 'close';
  readonly parameters: readonly unknown[];
}

/** What became of it. An error loses its class on the way, so it goes as code and text. */
export type HistoryReply =
  | { readonly number: number; readonly kind: 'value'; readonly value: unknown }
  | { readonly number: number; readonly kind: 'error'; readonly code: ErrorCode | null; readonly text: string };

export const errorReply = (number: number, error: unknown): HistoryReply => ({
  ...{ number, kind: 'error', code: isOperationError(error) ? error.code : null },
  text: isOperationError(error) ? error.message.replace(`${error.code}: `, '') : errorText(error),
});

export const errorOf = ({ code, text }: Extract<HistoryReply, { kind: 'error' }>): Error =>
  code === null ? new Error(text) : new OperationError(code, text);
