import type { Answer, Bench, Question } from '../question.ts';
import { refusedWith } from '../refusal.ts';

/** An interface that was made, shown and deleted. */
export async function deletedInterface({ cloud, given, things }: Bench): Promise<string> {
  const { networkInterfaceId } = await things.shownInterfaceIn(given.subnetId);
  await cloud.deleteNetworkInterface(networkInterfaceId);
  return networkInterfaceId;
}

async function ask(bench: Bench): Promise<Answer> {
  const { things } = bench;
  const networkInterfaceId = await deletedInterface(bench);
  const code = await refusedWith(things.launch({ networkInterfaceId }));
  if (code === null) return { verdict: 'otherwise', saw: 'the launch was accepted', figures: {} };
  const verdict = code.startsWith('InvalidNetworkInterface') ? 'as-assumed' : 'unclear';
  return { verdict, saw: `the launch was refused: ${code}`, figures: { code } };
}

export const interfaceGone: Question = {
  id: 'interface-gone',
  asks: 'does a launch that names a network interface deleted a moment ago fail, and with which code?',
  restsOn: 'A8, S7: deleting its interface is what makes a late launch impossible',
  remedy: 'do not let Understudy replace machines in this account, and open an issue with this report',
  needs: [],
  use: { instances: 1, minutes: 3, diskGiB: 8 },
  calls: ['CreateNetworkInterface', 'DeleteNetworkInterface', 'RunInstances'],
  ask,
};
