import {
  EnrolledSchema,
  EnrolmentRequestSchema,
  EnrolmentsViewSchema,
  parseMemberId,
  unreachable,
} from '@understudy/shared';
import * as z from 'zod';
import { carryOut, commandFields, commandRoute, COMMON_REFUSALS } from '../carry-out.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { type AnyRoute, type Answer, defineRoute, ok } from '../route.ts';

const RETRY_SECONDS = '5';
const RETRY = { 'retry-after': RETRY_SECONDS };

const list = defineRoute({
  ...{ method: 'GET', path: '/v1/enrolments', role: 'read', operationId: 'listEnrolments', tag: 'Enrolment' },
  leader: 'preferred',
  summary: 'Which instances were given their key for their signed identity, and who was refused',
  answers: { 200: { text: 'By member; refusals the newest first.', schema: EnrolmentsViewSchema } },
  refusals: ['STARTING'],
  handle: (_, { api }) => ok(api().enrolments()),
});

/** As the socket has it: an IPv4 peer of a socket for both families is written as IPv6. */
const addressOf = (ip: string): string => ip.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Anonymous, because whoever asks has no key yet: what is sent has to prove what it can (S34). Only
 * the leader answers, and nothing is passed on to it: the address of the other end is what counts.
 * An agent asks one coordinator after the other.
 */
const enrol = defineRoute({
  ...{ method: 'POST', path: '/v1/enrolments', role: 'anybody', operationId: 'enrol', tag: 'Enrolment' },
  summary: "Give an agent its member's key for the signed identity document of its instance",
  description: 'Only the leader answers it, only over TLS, only to the address of that instance; once per instance.',
  body: EnrolmentRequestSchema,
  answers: { 200: { text: 'The key, sealed to the public key that was sent.', schema: EnrolledSchema } },
  refusals: ['STARTING', 'ENROLMENT_OFF', 'ENROLMENT_REFUSED', 'NOT_LEADER', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
  handle: async ({ body, request }, { api }): Promise<Answer> => {
    if (request.protocol !== 'https') throw new Refusal('ENROLMENT_OFF', 'keys are given over TLS only');
    if (api().leader() !== 'self')
      throw new Refusal('NOT_LEADER', 'ask the other coordinators: one of them leads', RETRY);
    const { member } = parseMemberId(body.member);
    const address = addressOf(request.ip);
    const answer = await api().enrolKey({ ...body, member, address, requestId: request.id });
    const { kind } = answer;
    if (kind === 'given') return ok({ keyId: answer.keyId, ...answer.key, repeated: answer.repeated });
    if (kind === 'off') throw new Refusal('ENROLMENT_OFF', answer.text);
    if (kind === 'unavailable') throw new Refusal('UNAVAILABLE', answer.text, RETRY);
    if (kind === 'unknown-outcome') throw new Refusal('OUTCOME_UNKNOWN', answer.text, RETRY);
    if (kind === 'refused')
      throw new Refusal('ENROLMENT_REFUSED', `${answer.reason}: ${answer.text}`, RETRY, { reason: answer.reason });
    return unreachable(kind);
  },
});

const ResetSchema = z.strictObject({
  ...commandFields,
  /** The revision of the enrolment that was shown. */
  revision: z.number().int().min(1),
});

const reset = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/enrolments/:group/:name/reset' },
  ...{ operationId: 'resetEnrolment', tag: 'Enrolment' },
  summary: 'Let another agent of a member ask for its key, by forgetting exactly the enrolment that was shown',
  ...{ params: MemberParamsSchema, body: ResetSchema },
  refusals: [...COMMON_REFUSALS, 'NOTHING_THERE', 'REVISION_STALE'],
  handle: (asked, context) => {
    const { group, name } = asked.params;
    return carryOut(asked, context, {
      ...{ kind: 'reset-enrolment', member: `${group}/${name}`, revision: asked.body.revision },
    });
  },
});

/** Keys for identities (docs/enrolment.md). */
export const enrolments: readonly AnyRoute[] = [list, enrol, reset];
