import type { InstallSettings } from './install-settings.ts';

/** Names of units hold no quotes, so that is all that YAML wants. */
const quoted = (text: string): string => `'${text}'`;

function keyText({ keyId, key }: InstallSettings): string {
  if (key.kind === 'ssmParameter' || key.kind === 'secretsManager')
    return `key: { id: ${keyId}, ${key.kind}: ${quoted(key.reference)} }`;
  return `key: { id: ${keyId}, file: /etc/understudy/agent.key }`;
}

/** The agent's configuration that user data writes. */
export function agentConfigText(settings: InstallSettings): string {
  const { group, member, coordinators, workloads } = settings;
  const names = workloads.map(quoted).join(', ');
  return [
    `member: ${quoted(`${group}/${member}`)}`,
    keyText(settings),
    `coordinators: [${coordinators.map(quoted).join(', ')}]`,
    'activation:',
    '  systemdTarget: understudy-active.target',
    ...(workloads.length > 0 ? [`  workloads: [${names}]`] : []),
    '',
  ].join('\n');
}
