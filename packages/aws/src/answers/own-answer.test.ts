import { describe, expect, it } from 'vitest';
import { EC2_QUERY, foreignness } from './own-answer.ts';

const OWN =
  '<DeleteSnapshotResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><return>true</return></DeleteSnapshotResponse>';
const REFUSAL =
  '<Response><Errors><Error><Code>InvalidSnapshot.InUse</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>';
const judge = (status: number, body: string, contentType = 'text/xml') =>
  foreignness(EC2_QUERY, 'DeleteSnapshot', { status, contentType, requestId: '', body });

describe('an answer is EC2’s own when', () => {
  it.each([
    ['it has the action’s root and a request id', OWN],
    ['it says nothing of a return, as other implementations of EC2 do', OWN.replace('<return>true</return>', '')],
    ['it begins with a prolog', `<?xml version="1.0" encoding="UTF-8"?>\n<!-- x --> ${OWN}\n`],
    ['it begins with a byte order mark', `\uFEFF${OWN}`],
    ['it names no namespace', OWN.replace(/ xmlns="[^"]*"/, '')],
    ['its root has a prefix', OWN.replaceAll('DeleteSnapshotResponse', 'ec2:DeleteSnapshotResponse')],
  ])('%s', (_, body) => expect(judge(200, body)).toBeNull());

  it('a read names another namespace, as other implementations of EC2 do', () => {
    const body =
      '<?xml version="1.0"?>\n<DescribeInstanceTypesResponse xmlns="http://api.example/"><requestId>r</requestId></DescribeInstanceTypesResponse>';
    expect(
      foreignness(EC2_QUERY, 'DescribeInstanceTypes', { status: 200, contentType: 'text/xml', requestId: '', body }),
    ).toBeNull();
  });

  it('a refusal has a code and a request id', () => {
    expect(judge(400, REFUSAL)).toBeNull();
    expect(judge(503, `<?xml version="1.0"?>${REFUSAL}`)).toBeNull();
  });
});

describe('an answer is somebody else’s when', () => {
  it.each([
    ['', 'its body is empty, not a <DeleteSnapshotResponse>'],
    ['   \n', 'its body is empty, not a <DeleteSnapshotResponse>'],
    ['ok', 'its body is no XML, not a <DeleteSnapshotResponse>'],
    ['{"message":"Forbidden"}', 'its body is no XML, not a <DeleteSnapshotResponse>'],
    ['<!DOCTYPE html><html><body>login</body></html>', 'its body is a <html>, not a <DeleteSnapshotResponse>'],
    ['<html xmlns="http://www.w3.org/1999/xhtml"><p/></html>', 'its body is a <html>, not a <DeleteSnapshotResponse>'],
    [
      OWN.replaceAll('DeleteSnapshot', 'DescribeSnapshots'),
      'its body is a <DescribeSnapshotsResponse>, not a <DeleteSnapshotResponse>',
    ],
    [OWN.slice(0, -20), 'its <DeleteSnapshotResponse> is cut off'],
    [OWN.replace('<requestId>r</requestId>', ''), 'its <DeleteSnapshotResponse> has no requestId'],
    [
      OWN.replace('http://ec2.amazonaws', 'http://sns.amazonaws'),
      "its <DeleteSnapshotResponse> is not in EC2's namespace",
    ],
    [OWN.replace('true', 'false'), 'it returns "false"'],
    [REFUSAL, 'its body is a <Response>, not a <DeleteSnapshotResponse>'],
  ])('200 %j: %s', (body, text) => expect(judge(200, body)).toBe(`HTTP 200 (text/xml): ${text}`));

  it.each([
    [403, '<html><body>Forbidden<br></body></html>', 'its body is a <html>, not an EC2 error'],
    [404, '', 'its body is empty, not an EC2 error'],
    [502, 'Bad Gateway', 'its body is no XML, not an EC2 error'],
    [403, '<Error><Code>AccessDenied</Code></Error>', 'its body is a <Error>, not an EC2 error'],
    [400, REFUSAL.replace('<RequestID>r</RequestID>', ''), 'its <Response> has no RequestID'],
    [400, REFUSAL.replace('InvalidSnapshot.InUse', ''), 'its <Response> has no error code'],
    [400, REFUSAL.slice(0, -5), 'its <Response> is cut off'],
    [302, '', 'its body is empty, not an EC2 error'],
    [200, REFUSAL, 'its body is a <Response>, not a <DeleteSnapshotResponse>'],
  ])('%i %j', (status, body, text) => expect(judge(status, body)).toBe(`HTTP ${status} (text/xml): ${text}`));

  it('it says so with the status and the content type', () =>
    expect(judge(403, '<html></html>', 'text/html')).toBe(
      'HTTP 403 (text/html): its body is a <html>, not an EC2 error',
    ));
});
