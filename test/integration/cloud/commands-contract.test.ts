import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudSim,
  CloudSimConfigSchema,
  type FaultKind,
  inProcessService,
  seedInstance,
  startCloudSim,
} from '@understudy/cloud-sim';
import { remoteCommandsOver, sdkSsmTransport } from '@understudy/aws';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import {
  COMMANDS_CONTRACT,
  type CommandsContractCase,
  type CommandsContractFault,
  type CommandsContractFixture,
  SeededRandom,
  SimClock,
} from '@understudy/shared/testing';
import { describe, it } from 'vitest';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';

const KINDS: Readonly<Record<CommandsContractFault, FaultKind>> = {
  throttle: 'throttle',
  'internal-error': 'error',
  'foreign-answer': 'foreign-answer',
  'lost-reply': 'timeout-after-success',
};

const SPEED = 200;
/** How long a caller hangs whose reply is lost, ms. */
const HANG_MS = 100;

/** Instances, agents and scripts, under the policy that a coordinator's role is told to have. */
function worldOf(sim: CloudSim): Omit<CommandsContractFixture, 'commands' | 'sleep' | 'wallMs'> {
  sim.setAuthorize(underGeneratedPolicy({ groups: ['db'], runsCommands: true }));
  const [one, other] = ['db/one', 'web/one'].map((member) => seedInstance(sim, { member }).instanceId);
  for (const id of [one ?? '', other ?? '']) sim.setManaged(id);
  const instanceId = one ?? '';
  let faults = 0;
  return {
    ...{ instanceId, forbiddenId: other ?? '', unknownId: 'i-0123456789abcdef0' },
    script: (result) => {
      sim.commands.guest = () => ({ exitCode: 0, output: '', errors: '', tookMs: 100, ...result });
    },
    cutOff: (cutOff) => void sim.setManaged(instanceId, { cutOff }),
    freeze: (frozen) => void sim.setManaged(instanceId, { frozen }),
    stopInstance: async () => void sim.takeDown(instanceId, 'Server.ScheduledStop', 'stop'),
    duplicated: (share) => {
      sim.commands.duplicated = share;
    },
    executions: () => sim.commands.executions.length,
    fault: (action, kind) => {
      const id = `${kind} ${(faults += 1)}`;
      sim.addFault({ id, action: `ssm:${action}`, kind: KINDS[kind], delayMs: HANG_MS });
      return { firedCount: () => sim.fired(id) };
    },
  };
}

async function inProcess(one: CommandsContractCase): Promise<void> {
  const clock = new SimClock();
  const sim = new CloudSim({ clock });
  const commands = remoteCommandsOver({ clock, callTimeoutMs: 1_000, transport: inProcessService(sim, 'ssm') });
  const rest = { sleep: (durationMs: number) => clock.sleep(durationMs), wallMs: () => clock.wallMs() };
  await clock.runUntilSettled(one.run({ ...worldOf(sim), commands, ...rest }));
}

async function overHttp(one: CommandsContractCase): Promise<void> {
  const clock = new SystemClock();
  const workDir = await mkdtemp(join(tmpdir(), 'understudy-commands-'));
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: SPEED, workDir });
  const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const credentials = { accessKeyId: 'AKIAACCEPTED', secretAccessKey: 'secret' };
  const ssm = sdkSsmTransport({ region: config.region, endpoint: server.url, credentials, callTimeoutMs: 2_000 });
  const commands = remoteCommandsOver({ clock, callTimeoutMs: 3_000, transport: ssm.send });
  try {
    await one.run({
      ...{ ...worldOf(server.sim), commands, wallMs: () => clock.wallMs() },
      sleep: (durationMs) => clock.sleep(durationMs / SPEED),
    });
  } finally {
    ssm.close();
    await server.close();
    await rm(workDir, { recursive: true, force: true });
  }
}

describe('Run Command in process', () => it.each(COMMANDS_CONTRACT)('$name', inProcess));
describe.concurrent('Run Command over the SDK and HTTP', () => it.each(COMMANDS_CONTRACT)('$name', overHttp));
