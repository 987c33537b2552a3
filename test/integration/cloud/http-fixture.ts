import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSimConfigSchema, startCloudSim } from '@understudy/cloud-sim';
import { createEc2Cloud, sdkTransport } from '@understudy/aws';
import type { SdkTransport } from '@understudy/aws/testing';
import { type Cloud, type Clock, silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { type CloudContractFixture, SeededRandom } from '@understudy/shared/testing';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';
import { RIGHTS, SIM_FAULTS } from './in-process-fixture.ts';

/** How much faster than EC2 this one lives. */
const SPEED = 50;
const CALL_TIMEOUT_MS = 1_000;
const ACCEPTED = 'AKIAACCEPTED';

export interface HttpFixture extends CloudContractFixture {
  close(): Promise<void>;
}

/** EC2's time: an hour there is an hour ÷ {@link SPEED} here. */
function fastClock(clock: Clock): Clock {
  return {
    monotonicMs: () => clock.monotonicMs(),
    wallMs: () => clock.wallMs(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs / SPEED, callback),
    sleep: (durationMs, signal) => clock.sleep(durationMs / SPEED, signal),
  };
}

/** cloud-sim behind its HTTP endpoint, reached by the real SDK. */
export async function httpFixture(): Promise<HttpFixture> {
  const clock = new SystemClock();
  const workDir = await mkdtemp(join(tmpdir(), 'understudy-cloud-'));
  const config = CloudSimConfigSchema.parse({
    http: { port: 0 },
    speed: SPEED,
    workDir,
    credentials: { accessKeyIds: [ACCEPTED] },
  });
  const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const transports: SdkTransport[] = [];
  const cloudAt = (endpoint: string, accessKeyId: string): Cloud => {
    const credentials = { accessKeyId, secretAccessKey: 'secret' };
    const transport = sdkTransport({ region: config.region, endpoint, credentials, callTimeoutMs: CALL_TIMEOUT_MS });
    transports.push(transport);
    // The simulated buckets refill faster, too.
    return createEc2Cloud({
      transport: transport.send,
      clock,
      callTimeoutMs: 3 * CALL_TIMEOUT_MS,
      rateShare: 0.9 * SPEED,
    });
  };
  const { sim } = server;
  sim.setAuthorize(underGeneratedPolicy(RIGHTS));
  let faults = 0;
  return {
    cloud: cloudAt(server.url, ACCEPTED),
    clock: fastClock(clock),
    subnets: Object.entries(sim.defaultResources.subnets).map(([az, subnetId]) => ({ az, subnetId })),
    imageId: sim.defaultResources.imageId,
    rootDeviceName: sim.defaultResources.rootDeviceName,
    instanceType: 't3.small',
    allocateAddress: async () => {
      const { AllocationId } = sim.seed('AllocateAddress', { Domain: 'vpc' });
      return { allocationId: String(AllocationId) };
    },
    fault: async (action, kind, times) => {
      const id = `contract-${++faults}`;
      sim.addFault({ id, action, times, ...SIM_FAULTS[kind] });
      return { firedCount: async () => sim.fired(id) };
    },
    impairZone: async (az, impaired) => sim.setZoneImpaired(az, impaired),
    stranger: cloudAt(server.url, 'AKIASTRANGER'),
    nowhere: cloudAt('http://127.0.0.1:1', ACCEPTED),
    close: async () => {
      for (const transport of transports) transport.close();
      await server.close();
      await rm(workDir, { recursive: true, force: true });
    },
  };
}
