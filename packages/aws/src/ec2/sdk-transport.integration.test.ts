import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isOperationError } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { afterEach, describe, expect, it } from 'vitest';
import { createEc2Cloud } from './create-ec2-cloud.ts';
import type { SdkTransport } from '../sdk/client-config.ts';
import { sdkTransport } from './sdk-transport.ts';

/** The real SDK against a socket that says what the test wants. */

type Reply = { readonly status: number; readonly body: string } | 'silence' | 'reset';
const open: { server: Server; transports: SdkTransport[] }[] = [];

async function stub(...replies: Reply[]) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      const reply = replies[Math.min(bodies.length, replies.length) - 1] ?? 'silence';
      if (reply === 'silence') return;
      if (reply === 'reset') return void request.socket.destroy();
      response.writeHead(reply.status, { 'content-type': 'text/xml' }).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const opened = { server, transports: [] as SdkTransport[] };
  open.push(opened);
  const cloudAt = (endpoint: string, callTimeoutMs = 2_000) => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const transport = sdkTransport({ region: 'us-east-1', endpoint, credentials, callTimeoutMs });
    opened.transports.push(transport);
    return createEc2Cloud({ transport: transport.send, clock: new SystemClock(), callTimeoutMs: callTimeoutMs + 500 });
  };
  return { bodies, cloudAt, endpoint: `http://127.0.0.1:${port}` };
}

afterEach(async () => {
  for (const { server, transports } of open.splice(0)) {
    for (const transport of transports) transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const refusal = (status: number, code: string): Reply => ({
  status,
  body: `<Response><Errors><Error><Code>${code}</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>`,
});
const launched: Reply = {
  status: 200,
  body:
    '<RunInstancesResponse><requestId>r-1</requestId><instancesSet><item><instanceId>i-1</instanceId><instanceState><code>0</code><name>pending</name>' +
    '</instanceState><launchTime>2026-01-01T00:00:00.000Z</launchTime></item></instancesSet></RunInstancesResponse>',
};
async function failureOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isOperationError(error)) throw new Error('did not fail with an error of ours', { cause: error });
  return { code: error.code, upstreamCode: error.upstreamCode, message: error.message };
}
const request = { ClientToken: 'token-1', MinCount: 1, MaxCount: 1, UserData: 'bWVtYmVy' };

describe('the SDK as transport', () => {
  it.each(['AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses', 'AssignIpv6Addresses', 'UnassignIpv6Addresses'])(
    'sends no question that would be the deed: %s with DryRun',
    async (action) => {
      const { endpoint, bodies } = await stub(launched);
      const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
      const transport = sdkTransport({ region: 'us-east-1', endpoint, credentials, callTimeoutMs: 2_000 });
      const input = { NetworkInterfaceId: 'eni-1', DryRun: true };
      await expect(transport.send(action, input, { mutating: true })).rejects.toThrow('no DryRun');
      expect(bodies).toEqual([]);
      transport.close();
    },
  );

  it('sends the recorded launch, token and user data unchanged, and reads the answer', async () => {
    const { cloudAt, endpoint, bodies } = await stub(launched);
    const instance = await cloudAt(endpoint).runInstances(request);
    expect(instance).toMatchObject({ instanceId: 'i-1', state: 'pending', launchedAtWallMs: Date.UTC(2026, 0, 1) });
    expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toMatchObject(
      Object.fromEntries(
        Object.entries({ Action: 'RunInstances', ...request }).map(([key, value]) => [key, String(value)]),
      ),
    );
  });

  it.each([
    ['InsufficientInstanceCapacity', 500, 'CLOUD_CAPACITY'],
    ['InternalError', 500, 'CLOUD_OUTCOME_UNKNOWN'],
    ['RequestLimitExceeded', 503, 'CLOUD_THROTTLED'],
    ['UnauthorizedOperation', 403, 'CLOUD_DENIED'],
  ])('sends a mutating call once whatever the answer (%s)', async (code, status, expected) => {
    const { cloudAt, endpoint, bodies } = await stub(refusal(status, code));
    const outcome = cloudAt(endpoint).runInstances(request);
    await expect(outcome).rejects.toMatchObject({ code: expected, upstreamCode: code });
    expect(bodies).toHaveLength(1);
  });

  it.each(['silence', 'reset'] as const)(
    'a launch met by %s has an unknown outcome and is not repeated',
    async (reply) => {
      const { cloudAt, endpoint, bodies } = await stub(reply);
      await expect(cloudAt(endpoint, 300).runInstances(request)).rejects.toMatchObject({
        code: 'CLOUD_OUTCOME_UNKNOWN',
      });
      expect(bodies).toHaveLength(1);
    },
  );

  it('an unreadable answer to a launch leaves its outcome unknown', async () => {
    const { cloudAt, endpoint, bodies } = await stub({ status: 200, body: '<RunInstancesResponse><instan' });
    await expect(cloudAt(endpoint).runInstances(request)).rejects.toMatchObject({ code: 'CLOUD_OUTCOME_UNKNOWN' });
    expect(bodies).toHaveLength(1);
  });

  it('repeats a failed read once', async () => {
    const volumes =
      '<DescribeVolumesResponse><requestId>r-1</requestId><volumeSet><item><volumeId>vol-1</volumeId></item></volumeSet></DescribeVolumesResponse>';
    const { cloudAt, endpoint, bodies } = await stub(refusal(500, 'InternalError'), { status: 200, body: volumes });
    expect(await cloudAt(endpoint).describeVolumes({})).toHaveLength(1);
    expect(bodies).toHaveLength(2);
  });

  it('a read where nobody listens is CLOUD_UNAVAILABLE', async () => {
    const { cloudAt } = await stub();
    await expect(cloudAt('http://127.0.0.1:1').describeSubnets({})).rejects.toMatchObject({
      code: 'CLOUD_UNAVAILABLE',
    });
  });

  it('asks for the last word after signing: what may not start any more is not sent', async () => {
    const { cloudAt, endpoint, bodies } = await stub(launched);
    let asked = 0;
    // True in the queue and at the time limit, false when the signed request is about to leave.
    const mayStart = () => ++asked <= 2;
    await expect(cloudAt(endpoint).runInstances(request, { mayStart })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(asked).toBe(3);
    expect(bodies).toEqual([]);
  });

  it('a request the SDK itself cannot make was never sent, and says so', async () => {
    const { cloudAt } = await stub(launched);
    const { message, ...error } = await failureOf(cloudAt('not a url').runInstances(request));
    expect(error).toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    expect(message).toContain('check the Region and aws.endpoint');
    const read = await failureOf(cloudAt('not a url').describeSubnets({}));
    expect(read.code).toBe('CLOUD_UNAVAILABLE');
  });

  it('expired credentials are a denial with their own remedy', async () => {
    const { cloudAt, endpoint } = await stub(refusal(400, 'ExpiredToken'));
    const error = await failureOf(cloudAt(endpoint).runInstances(request));
    expect(error).toMatchObject({ code: 'CLOUD_DENIED', upstreamCode: 'ExpiredToken' });
    expect(error.message).toContain('the credentials have expired: renew them');
  });

  it('an abort on the way leaves the outcome unknown', async () => {
    const { cloudAt, endpoint, bodies } = await stub('silence');
    const controller = new AbortController();
    const outcome = cloudAt(endpoint).runInstances(request, { signal: controller.signal });
    const settled = expect(outcome).rejects.toMatchObject({ code: 'CLOUD_OUTCOME_UNKNOWN' });
    while (bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort(new Error('lease lost'));
    await settled;
  });
});
