import type { InstallSettings } from './install-settings.ts';

/** Names of units hold no quotes, so that is all that YAML wants. */
const quoted = (text: string): string => `'${text}'`;

/** Where the script writes the authority of the coordinators. */
export const CA_FILE = '/etc/understudy/coordinators-ca.pem';

function keyText({ keyId, key, caPem }: InstallSettings): string {
  if (key.kind === 'ssmParameter' || key.kind === 'secretsManager')
    return `key: { id: ${keyId}, ${key.kind}: ${quoted(key.reference)} }`;
  if (key.kind === 'enrol') {
    const ca = caPem === null ? '' : `, caFile: ${CA_FILE}`;
    return `key: { id: ${keyId}, enrolAt: [${key.urls.map(quoted).join(', ')}]${ca} }`;
  }
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
