import { unwritten } from '@understudy/shared';
import { type Asked, type Command, type CommandDecision, type CommandFacts, refused } from './command.ts';

/**
 * Sends a notice that was given up again, to the webhook that did not take it, under the id it had;
 * or drops it. Repeating either is harmless: it is not there any more.
 */
export function decideNotice(
  { command }: Asked<Extract<Command, { kind: 'resend-notice' | 'drop-notice' }>>,
  { records, keys, nowWallMs }: CommandFacts,
): CommandDecision {
  const { kind, webhook, noticeId: id } = command;
  const given = records.undelivered.get(`${webhook}/${id}`);
  if (!given) return refused('NOTHING_THERE', `no notice ${id} was given up for the webhook ${webhook}`);
  const { webhook: _webhook, error, givenUpAtWallMs: _at, ...content } = unwritten(given.record);
  const deletes = [{ key: keys.undeliveredNotice(webhook, id), expect: given.modRevision }];
  const shown = { webhook, id, kind: content.kind, what: content.what, error };
  const change = { kind: 'change', about: webhook, before: shown, result: { notice: shown } } as const;
  if (kind === 'drop-notice')
    return { ...change, text: `notice ${id} for ${webhook} is dropped`, effect: { deletes }, after: null };
  const waiting = records.outbox.get(id);
  if (waiting) return refused('CHANGED', `notice ${id} waits for other webhooks: ask again when it is delivered`);
  const record = { ...content, deliveredTo: [], onlyTo: webhook, waitsSinceWallMs: nowWallMs };
  const puts = [{ key: keys.notice(id), record, expect: 0 }];
  return { ...change, text: `notice ${id} is sent to ${webhook} again`, effect: { puts, deletes }, after: shown };
}
