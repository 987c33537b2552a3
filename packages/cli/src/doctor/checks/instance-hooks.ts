import { durationText, isOperationError, type ManagedInstance } from '@understudy/shared';
import { awsRegionOf } from '@understudy/shared/node';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

/** What became of asking Systems Manager about the instances that hooks name. */
export type CommandsAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly code: string; readonly text: string }
  | {
      readonly kind: 'told';
      readonly instances: readonly { readonly id: string; readonly agent: ManagedInstance | null }[];
      readonly wallMs: number;
    };

/** An id that is no instance's: asking about it shows whether one may ask. */
const NOBODY = 'i-00000000000000000';

function toldOf(id: string, agent: ManagedInstance | null, wallMs: number): Finding {
  if (!agent)
    return warning(
      `Systems Manager shows no agent of ${id}, on which a hook runs`,
      'see that the instance runs, has the agent and a profile with AmazonSSMManagedInstanceCore (docs/hooks.md)',
    );
  const at = agent.lastPingAtWallMs;
  const heard = at === null ? '' : `, last heard ${durationText(Math.max(0, wallMs - at))} ago`;
  return note(`Systems Manager has ${id} as ${agent.ping}${heard}: minutes late, and no proof of anything`);
}

/** Whether hooks can run on instances. Pure. */
export function judgeInstanceHooks(answer: CommandsAnswer): readonly Finding[] {
  if (answer.kind === 'none')
    return [note('no hooks.commands and no aws.tellAgentPings: Systems Manager is not asked (docs/hooks.md)')];
  if (answer.kind === 'told') {
    const named = answer.instances.filter(({ id }) => id !== NOBODY);
    return [
      ok('Systems Manager can be asked; whether it may run a hook shows when one runs'),
      ...named.map(({ id, agent }) => toldOf(id, agent, answer.wallMs)),
    ];
  }
  if (answer.code === 'CLOUD_DENIED')
    return [
      fault(
        `Systems Manager is closed to this host: ${answer.text}`,
        'give the role RunDocument, RunOnMembers and FollowCommands; for aws.tellAgentPings TellPings',
        'understudy iam-policy --run-commands --agent-pings',
      ),
    ];
  return [
    warning(
      `Systems Manager could not be asked: ${answer.text}`,
      'see that it can be reached from here (NAT or a VPC endpoint), and that aws.region is right',
    ),
  ];
}

/** Only looks: a command that is sent runs. */
export const instanceHooks = check(
  'hooks on instances',
  async ({ config, environment, clock }: CoordinatorHost): Promise<CommandsAnswer> => {
    if (config.hooks.commands.length === 0 && !config.aws.tellAgentPings) return { kind: 'none' };
    const { remoteCommandsOver, sdkSsmTransport, serviceEndpointOf } = await import('@understudy/aws');
    const { aws, hooks } = config;
    const own = { ec2: aws.endpoint, own: aws.ssmEndpoint, variable: 'AWS_ENDPOINT_URL_SSM', environment };
    const endpoint = serviceEndpointOf(own);
    const region = awsRegionOf(aws.region, environment);
    const { callTimeoutMs } = aws;
    const sdk = sdkSsmTransport({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
    try {
      const commands = remoteCommandsOver({ transport: sdk.send, clock, callTimeoutMs });
      const ids = new Set([NOBODY, ...hooks.commands.map(({ on }) => on).filter((on) => on.startsWith('i-'))]);
      const instances: { id: string; agent: ManagedInstance | null }[] = [];
      for (const id of ids) instances.push({ id, agent: await commands.managed(id) });
      return { kind: 'told', instances, wallMs: clock.wallMs() };
    } catch (error) {
      if (isOperationError(error)) return { kind: 'refused', code: error.code, text: error.message };
      throw error;
    } finally {
      sdk.close();
    }
  },
  judgeInstanceHooks,
);
