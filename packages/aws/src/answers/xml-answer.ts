import { type AnswerForm, isClosed, type RawAnswer, rootOf, rootText } from './own-answer.ts';

const hasNamespace = (body: string, namespace: string): boolean =>
  body.slice(0, 2_048).includes(`xmlns="${namespace}"`);

/** Null: the body is that document, whole, of that service. Otherwise why not, in words. */
function documentFault({ body }: RawAnswer, wanted: string, namespace: string): string | null {
  const root = rootOf(body);
  if (root !== wanted) return `${rootText(root, body)}, not a <${wanted}>`;
  if (!isClosed(body, wanted)) return `its <${wanted}> is cut off`;
  return hasNamespace(body, namespace) ? null : `its <${wanted}> is not in the service's namespace`;
}

function refusalFault(answer: RawAnswer, namespace: string): string | null {
  const fault = documentFault(answer, 'ErrorResponse', namespace);
  if (fault !== null) return fault;
  if (!/<Error>[\s\S]*?<Code>\s*[A-Za-z][\w.]*\s*<\/Code>/.test(answer.body)) return 'its <ErrorResponse> has no code';
  return /<RequestId>[^<]+<\/RequestId>/.test(answer.body) ? null : 'its <ErrorResponse> has no RequestId';
}

/** The query protocol: members stand in a result, and an id beside it. */
const queryForm = (namespace: string): AnswerForm => ({
  success: (action, answer) =>
    documentFault(answer, `${action}Response`, namespace) ??
    (/<RequestId>[^<]+<\/RequestId>/.test(answer.body) ? null : `its <${action}Response> has no RequestId`),
  refusal: (answer) => refusalFault(answer, namespace),
});

export const ELBV2_QUERY: AnswerForm = queryForm('http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/');
export const SNS_QUERY: AnswerForm = queryForm('http://sns.amazonaws.com/doc/2010-03-31/');
const ROUTE53_NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';

/**
 * The older form of a refusal, which Route 53's API reference still shows: the code is the root,
 * and messages stand in it. Null: it is not in that form.
 */
function olderRefusal({ body }: RawAnswer): { readonly code: string; readonly message: string } | null {
  const code = rootOf(body);
  if (code === null || code === 'ErrorResponse' || !/^[A-Z]\w+$/.test(code)) return null;
  if (!isClosed(body, code) || !hasNamespace(body, ROUTE53_NAMESPACE)) return null;
  const messages = [...body.matchAll(/<Message>([^<]*)<\/Message>/g)].map((one) => one[1]);
  return messages.length === 0 ? null : { code, message: messages.join('; ') };
}

/** REST XML as Route 53 speaks it: the answer is the root, and both forms of refusals. */
export const ROUTE53_XML: AnswerForm = {
  success: (action, answer) => documentFault(answer, `${action}Response`, ROUTE53_NAMESPACE),
  refusal: (answer) => (olderRefusal(answer) === null ? refusalFault(answer, ROUTE53_NAMESPACE) : null),
  /** The SDK reads neither code nor message of the older form. */
  asRead: (answer) => {
    const older = answer.status >= 300 ? olderRefusal(answer) : null;
    if (older === null) return null;
    return `<ErrorResponse xmlns="${ROUTE53_NAMESPACE}"><Error><Type>Sender</Type><Code>${older.code}</Code><Message>${older.message}</Message></Error></ErrorResponse>`;
  },
};
