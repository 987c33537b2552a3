/** The ways in which what stands between us and EC2 answers in its place. */
export interface Form {
  readonly status: number;
  readonly contentType: string;
  /** `own`: EC2's answer to this request, if it was passed on. */
  readonly body: (action: string, own: string) => string;
  /** The connection is closed instead of an answer. */
  readonly closes?: true;
  /** Held back this long; longer than anybody of ours waits. */
  readonly delayMs?: number;
}

const html = '<!DOCTYPE html><html><head><title>Blocked</title></head><body><p>Sign in<br></body></html>';
const page = (status: number): Form => ({ status, contentType: 'text/html', body: () => html });
const own = (text: (action: string, own: string) => string): Form => ({
  status: 200,
  contentType: 'text/xml',
  body: text,
});

export const FORMS = {
  'empty 200': { status: 200, contentType: 'text/xml', body: () => '' },
  'XHTML page, 200': {
    status: 200,
    contentType: 'application/xhtml+xml',
    body: () => '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>x</p></body></html>',
  },
  'sloppy HTML, 200': page(200),
  'JSON, 200': { status: 200, contentType: 'application/json', body: () => '{"message":"ok"}' },
  'text, 200': { status: 200, contentType: 'text/plain', body: () => 'OK' },
  "another action's XML": own(
    () =>
      '<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><regionInfo/></DescribeRegionsResponse>',
  ),
  'own root without a request id': own(
    (action) => `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"></${action}Response>`,
  ),
  'cut off': own((action, answer) =>
    (answer || `<${action}Response><requestId>r</requestId>`).slice(0, Math.max(40, answer.length - 25)),
  ),
  'HTML 403': page(403),
  'HTML 404': page(404),
  'HTML 500': page(500),
  'HTML 502': page(502),
  'empty 404': { status: 404, contentType: '', body: () => '' },
  'XML 403 that is not EC2’s': {
    status: 403,
    contentType: 'application/xml',
    body: () => '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
  },
  'redirect to a sign-in page': { status: 302, contentType: 'text/html', body: () => html },
  'closed connection': { status: 0, contentType: '', body: () => '', closes: true },
  'delayed beyond the time limit': { ...own((_, answer) => answer), delayMs: 2_500 },
} as const satisfies Record<string, Form>;

export type FormName = keyof typeof FORMS;
/** All but the slow one. */
export const PROMPT_FORM_NAMES = (Object.keys(FORMS) as FormName[]).filter((name) => !('delayMs' in FORMS[name]));
export const FORM_NAMES = Object.keys(FORMS) as FormName[];
