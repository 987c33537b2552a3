import assert from 'node:assert/strict';
import { MEMBERS } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import { runInside } from '../lab/network.ts';
import { present } from '../strike.ts';
import { membersBy } from './convergence.ts';

/**
 * Checks that every agent asks for its instance's metadata where EC2 has them, and finds them.
 * Returns that in words.
 * @throws naming the agents that do not
 */
export async function metadataFound(lab: Lab): Promise<string> {
  const views = await membersBy(lab.leaderSeat);
  const requests = MEMBERS.map(({ member }) => {
    const check = views.find((one) => one.member === member)?.checks.find(({ name }) => name === 'metadata');
    assert.equal(check?.status, 'pass', `the metadata check of ${member}`);
    const { instanceId } = lab.incumbent(member);
    const rules = runInside(instanceId, 'nft', ['list', 'table', 'ip', 'imds']);
    const packets = Number(present(/169\.254\.169\.254 .*packets (\d+)/.exec(rules))[1]);
    assert.ok(packets > 0, `${instanceId} never asked 169.254.169.254`);
    return packets;
  });
  const sum = requests.reduce((total, packets) => total + packets, 0);
  return `${requests.length} agents in namespaces of their own found IMDS at 169.254.169.254 (${sum} connections)`;
}
