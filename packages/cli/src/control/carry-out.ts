import type { CommandResult } from '@understudy/shared';
import { consentTo } from '../consent.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import { print, shownJson, shownOf } from '../terminal.ts';
import type { ControlClient, Sent } from './control-client.ts';

/** What is to be changed, and what a person has to know before. */
export interface Wish {
  readonly sent: Sent;
  /** What is there now, in lines. Empty: the command says it all. */
  readonly now?: string;
  /** The name to be typed, for what cannot be taken back. */
  readonly typed?: string;
}

/**
 * Shows what is there and what will be done, as the leader says; asks; has it done.
 * @throws CommandRefused when the leader would not do it, before anybody is asked
 */
export async function carryOut(client: ControlClient, wish: Wish, options: MutationOptions): Promise<CommandResult> {
  const { sent, now = '', typed } = wish;
  const planned = await client.look(sent, options.reason);
  const text = [now, `will be done: ${planned.text}`].filter((line) => line !== '').join('\n');
  const reason = await consentTo({ text, ...(typed === undefined ? {} : { typed }) }, options);
  return client.carryOut(sent, reason);
}

export function printResult(result: CommandResult, options: MutationOptions): void {
  print(options.json === true ? shownJson(result, 2) : shownOf(result, resultText));
}

export const resultText = ({ text, repeated, auditId }: CommandResult): string =>
  `${repeated ? 'so already' : 'done'}: ${text}${auditId === null ? '' : `\naudit ${auditId}`}`;
