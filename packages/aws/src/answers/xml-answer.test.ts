import { describe, expect, test } from 'vitest';
import { type AnswerForm, foreignness } from './own-answer.ts';
import { ELBV2_QUERY, ROUTE53_XML } from './xml-answer.ts';

const R53 = 'https://route53.amazonaws.com/doc/2013-04-01/';
const ELB = 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/';

const fault = (form: AnswerForm, action: string, status: number, body: string): string | null =>
  foreignness(form, action, { status, contentType: 'text/xml', requestId: 'r', body });

const change = `<?xml version="1.0"?>\n<ChangeResourceRecordSetsResponse xmlns="${R53}"><ChangeInfo/></ChangeResourceRecordSetsResponse>`;
const registered = `<RegisterTargetsResponse xmlns="${ELB}"><RegisterTargetsResult/><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></RegisterTargetsResponse>`;
const refusal = (namespace: string) =>
  `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>Throttling</Code><Message>x</Message></Error><RequestId>r</RequestId></ErrorResponse>`;
const older = `<InvalidChangeBatch xmlns="${R53}"><Messages><Message>one</Message><Message>two</Message></Messages><RequestId>r</RequestId></InvalidChangeBatch>`;

describe('the service’s own', () => {
  test.each<readonly [string, AnswerForm, string, number, string]>([
    ['answer of Route 53', ROUTE53_XML, 'ChangeResourceRecordSets', 200, change],
    ['refusal of Route 53', ROUTE53_XML, 'ChangeResourceRecordSets', 400, refusal(R53)],
    ['refusal in the older form', ROUTE53_XML, 'ChangeResourceRecordSets', 400, older],
    ['answer of Elastic Load Balancing', ELBV2_QUERY, 'RegisterTargets', 200, registered],
    ['refusal of Elastic Load Balancing', ELBV2_QUERY, 'RegisterTargets', 400, refusal(ELB)],
  ])('%s is believed', (_, form, action, status, body) => expect(fault(form, action, status, body)).toBeNull());
});

describe('somebody else’s', () => {
  test.each<readonly [string, AnswerForm, string, number, string]>([
    ['page', ROUTE53_XML, 'ChangeResourceRecordSets', 200, '<html><body>Sign in</body></html>'],
    ['page that refuses', ROUTE53_XML, 'ChangeResourceRecordSets', 403, '<html><body>No</body></html>'],
    ['nothing', ROUTE53_XML, 'ChangeResourceRecordSets', 200, ''],
    ['answer to another action', ROUTE53_XML, 'GetChange', 200, change],
    ['half an answer', ROUTE53_XML, 'ChangeResourceRecordSets', 200, change.slice(0, -20)],
    ['answer in no namespace', ROUTE53_XML, 'ChangeResourceRecordSets', 200, change.replace(R53, 'http://x/')],
    ['error in no namespace', ROUTE53_XML, 'ChangeResourceRecordSets', 400, refusal('http://x/')],
    [
      'root that names no code',
      ROUTE53_XML,
      'ChangeResourceRecordSets',
      400,
      older.replaceAll('Messages', 'Texts').replaceAll('Message', 'Text'),
    ],
    ['page', ELBV2_QUERY, 'RegisterTargets', 200, '<html></html>'],
    [
      'answer without a request id',
      ELBV2_QUERY,
      'RegisterTargets',
      200,
      registered.replace('<RequestId>r</RequestId>', ''),
    ],
    [
      'EC2 error',
      ELBV2_QUERY,
      'RegisterTargets',
      400,
      '<Response><Errors><Error><Code>X</Code></Error></Errors></Response>',
    ],
  ])('%s is not', (_, form, action, status, body) => expect(fault(form, action, status, body)).not.toBeNull());
});

test('the older form is read by the SDK in the form that it knows', () => {
  const read = ROUTE53_XML.asRead?.({ status: 400, contentType: 'text/xml', requestId: 'r', body: older });
  expect(read).toContain('<Code>InvalidChangeBatch</Code><Message>one; two</Message>');
  expect(ROUTE53_XML.asRead?.({ status: 200, contentType: 'text/xml', requestId: 'r', body: change })).toBeNull();
});
