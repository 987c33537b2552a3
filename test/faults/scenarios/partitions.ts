import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { MemberId } from '@understudy/shared';
import {
  heartbeatsOf,
  hostPair,
  intoZone,
  lossOf,
  outOfZone,
  Partition,
  portOf,
  type Rule,
} from '../faults/partition.ts';
import { PORTS } from '../lab/configuration.ts';
import type { Lab, Seat } from '../lab/lab.ts';
import { coordinatorHost, etcdHost, runInside, type Zone, ZONES } from '../lab/network.ts';
import type { Scenario } from '../scenario.ts';
import {
  begun,
  fail,
  memberOutside,
  membersIn,
  nothingBegins,
  seconds,
  statusOf,
  successorTo,
  zoneNow,
} from './while.ts';

const otherThan = (zone: Zone): Zone => ZONES.find((each) => each !== zone) ?? 'a';
const membersNowIn = (lab: Lab, zone: Zone) =>
  ZONES.flatMap(membersIn).filter((member) => zoneNow(lab, member).endsWith(zone));

function partition(lab: Lab, rules: readonly Rule[]): Partition {
  const made = new Partition(rules);
  lab.undoLater(() => made.heal());
  made.apply();
  return made;
}

/** Ends the partition. Every `drop` rule must have struck. */
function heal(made: Partition, mustHaveStruck: readonly string[]): string {
  const counters = made.counters();
  made.heal();
  for (const name of mustHaveStruck) assert.ok((counters[name] ?? 0) > 0, `the rule ${name} dropped nothing`);
  return Object.entries(counters)
    .map(([name, packets]) => `${name} ${packets}`)
    .join(', ');
}

function heartbeatsFrom(lab: Lab, members: readonly MemberId[]): Rule[] {
  const instances = members.map((member) => lab.incumbent(member));
  const hosts = instances.map(({ instanceId }) => ({ instanceId, address: lab.privateIp(instanceId) }));
  return heartbeatsOf(hosts, ZONES.map(coordinatorHost.name), PORTS.heartbeat);
}

async function cutZone(lab: Lab) {
  const old = lab.leaderSeat;
  const { zone } = old;
  const victims = membersNowIn(lab, zone);
  const cut = partition(lab, [intoZone(zone, 'drop'), outOfZone(zone, 'drop')]);
  const [successor] = await Promise.all([successorTo(lab, old), begun(lab, victims)]);
  assert.equal((await statusOf(old))?.isLeader, false, `${old.id}, cut off, thinks it leads`);
  const evidence = `zone ${zone} (the leader's) cut, packets dropped: ${heal(cut, ['in', 'out'])}`;
  return {
    evidence,
    outcome: `${successor.id} led and began ${victims.length} recoveries`,
    victims,
    replaced: victims,
  };
}

async function deafZone(lab: Lab) {
  const old = lab.leaderSeat;
  const deaf = partition(lab, [intoZone(old.zone, 'drop'), outOfZone(old.zone, 'count')]);
  const successor = await successorTo(lab, old);
  await nothingBegins(lab);
  const evidence = `zone ${old.zone} hears nothing, packets dropped in, passed out: ${heal(deaf, ['in', 'out'])}`;
  return { evidence, outcome: `${successor.id} led, nobody replaced`, victims: [], replaced: [] };
}

async function muteZone(lab: Lab) {
  const zone = otherThan(lab.leaderSeat.zone);
  const victims = membersNowIn(lab, zone);
  const mute = partition(lab, [intoZone(zone, 'count'), outOfZone(zone, 'drop')]);
  await begun(lab, victims);
  const evidence = `zone ${zone} is not heard, packets dropped out, passed in: ${heal(mute, ['in', 'out'])}`;
  return { evidence, outcome: `${victims.length} recoveries begun`, victims, replaced: victims };
}

/**
 * Sends one datagram and opens one connection from one coordinator's host to another's. They rarely
 * speak, and the rule has to be seen at work.
 */
function knock(from: Seat, to: Seat): void {
  const [host, port] = [coordinatorHost.address(to.zone), PORTS.heartbeat];
  const script = `const s=require('node:dgram').createSocket('udp4');
    const c=require('node:net').connect(${PORTS.api},'${host}').on('error',()=>{});
    s.send('knock',${port},'${host}',()=>s.close());setTimeout(()=>c.destroy(),300)`;
  runInside(coordinatorHost.name(from.zone), process.execPath, ['-e', script]);
}

async function twoCoordinators(lab: Lab) {
  const leader = lab.leaderSeat;
  const other = lab.seats.find((seat) => seat !== leader) ?? leader;
  const cut = partition(lab, [
    ...hostPair(coordinatorHost.name(leader.zone), coordinatorHost.address(other.zone)),
    ...hostPair(coordinatorHost.name(other.zone), coordinatorHost.address(leader.zone)),
  ]);
  knock(leader, other);
  knock(other, leader);
  const member = memberOutside(lab, leader.zone, other.zone);
  const tookMs = await fail(lab, member)();
  const evidence = `${leader.id} | ${other.id}, packets dropped: ${heal(cut, ['out'])}`;
  return { evidence, outcome: `${member} replaced in ${seconds(tookMs)}`, victims: [member], replaced: [member] };
}

async function agentsFromCoordinators(lab: Lab) {
  const cut = partition(lab, heartbeatsFrom(lab, ZONES.flatMap(membersIn)));
  await nothingBegins(lab);
  const opinions = await Promise.all(lab.seats.map(async (seat) => (await statusOf(seat))?.observer.reason ?? 'none'));
  const evidence = `no heartbeat reaches any coordinator, packets dropped: ${heal(cut, ['heartbeats'])}`;
  return { evidence, outcome: `nobody replaced; observers: ${opinions.join(', ')}`, victims: [], replaced: [] };
}

async function oneAgentFromCoordinators(lab: Lab) {
  const member = memberOutside(lab, lab.leaderSeat.zone);
  const { instanceId } = lab.incumbent(member);
  const cut = partition(lab, heartbeatsFrom(lab, [member]));
  await begun(lab, [member]);
  const evidence = `the heartbeats of ${member} (${instanceId}, healthy) dropped: ${heal(cut, ['heartbeats'])}`;
  return { evidence, outcome: 'fenced and replaced', victims: [member], replaced: [member] };
}

async function etcdPeers(lab: Lab) {
  const { zone } = lab.leaderSeat;
  const host = etcdHost.name(zone);
  const both = (['here', 'there'] as const).flatMap((where) => portOf(host, 'tcp', PORTS.etcdPeer, where));
  const cut = partition(lab, both);
  const member = memberOutside(lab, zone);
  const tookMs = await fail(lab, member)();
  const evidence = `${host} cut from its peers, packets dropped: ${heal(cut, ['in', 'out'])}`;
  return { evidence, outcome: `${member} replaced in ${seconds(tookMs)}`, victims: [member], replaced: [member] };
}

async function leaderFromEtcd(lab: Lab) {
  const old = lab.leaderSeat;
  const cut = partition(lab, portOf(coordinatorHost.name(old.zone), 'tcp', PORTS.etcdClient, 'there'));
  const member = memberOutside(lab, old.zone);
  const replaced = fail(lab, member);
  const successor = await successorTo(lab, old);
  const tookMs = await replaced();
  assert.equal((await statusOf(old))?.isLeader, false, `${old.id}, cut off, thinks it leads`);
  const evidence = `${old.id}, the leader, cut from etcd, packets dropped: ${heal(cut, ['out'])}`;
  const outcome = `${successor.id} led and replaced ${member} in ${seconds(tookMs)}`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

async function allFromEtcd(lab: Lab) {
  const rules = ZONES.flatMap((zone) => portOf(coordinatorHost.name(zone), 'tcp', PORTS.etcdClient, 'there'));
  const cut = partition(lab, rules);
  // This is longer than a lease, so the former leader does not lead any more.
  await wait(2_500);
  const member = memberOutside(lab);
  const replaced = fail(lab, member);
  await nothingBegins(lab);
  const evidence = `no coordinator reaches etcd, packets dropped: ${heal(cut, ['out'])}`;
  const tookMs = await replaced();
  const outcome = `nothing done meanwhile; ${member} replaced ${seconds(tookMs)} after its failure`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

const LOSS_PERCENT = 30;

/** Ends the loss. The share that was really lost must be about the one asked for. */
function healLoss(lossy: Partition): string {
  const { seen = 0, lost = 0 } = lossy.counters();
  lossy.heal();
  const percent = (lost / seen) * 100;
  assert.ok(Math.abs(percent - LOSS_PERCENT) < LOSS_PERCENT / 3, `${lost} of ${seen} packets were lost`);
  return `${lost} of ${seen} packets lost (${percent.toFixed(0)} %)`;
}

async function lossOfHeartbeats(lab: Lab) {
  const lossy = partition(lab, lossOf(heartbeatsFrom(lab, ZONES.flatMap(membersIn)), LOSS_PERCENT));
  const member = memberOutside(lab);
  const tookMs = await fail(lab, member)();
  await nothingBegins(lab);
  const outcome = `${member} replaced in ${seconds(tookMs)}, nobody else`;
  return { evidence: `heartbeats and acks: ${healLoss(lossy)}`, outcome, victims: [member], replaced: [member] };
}

async function lossOfZone(lab: Lab) {
  const { zone } = lab.leaderSeat;
  const lossy = partition(lab, lossOf([intoZone(zone, 'drop'), outOfZone(zone, 'drop')], LOSS_PERCENT));
  const member = memberOutside(lab, zone);
  const tookMs = await fail(lab, member)();
  const outcome = `${member} replaced in ${seconds(tookMs)}`;
  return { evidence: `zone ${zone}: ${healLoss(lossy)}`, outcome, victims: [member], replaced: [member] };
}

/**
 * etcd's own elections hardly succeed then. The scenario asks that nothing goes wrong, and that all
 * goes on afterwards.
 */
async function lossEverywhere(lab: Lab) {
  const between = ZONES.map((zone) => intoZone(zone, 'drop'));
  const lossy = partition(lab, lossOf(between, LOSS_PERCENT));
  const member = memberOutside(lab);
  const replaced = fail(lab, member);
  await wait(LOSS_LASTS_MS);
  const evidence = `between all zones: ${healLoss(lossy)}`;
  const outcome = `${member} replaced ${seconds(await replaced())} after its failure`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}
const LOSS_LASTS_MS = 12_000;

const MEMBERS_REPLACED = 'another leads and replaces its members; after the healing one of each serves';

export const PARTITIONS: readonly Scenario[] = [
  { name: 'zone-cut', fault: "the leader's zone cut off from everything", expected: MEMBERS_REPLACED, run: cutZone },
  {
    name: 'zone-deaf',
    fault: "nothing gets into the leader's zone, all gets out",
    expected: 'another leads; nobody is replaced',
    run: deafZone,
  },
  {
    name: 'zone-mute',
    fault: 'nothing gets out of a zone, all gets in',
    expected: 'its members are replaced, once',
    run: muteZone,
  },
  {
    name: 'two-coordinators-cut',
    fault: 'nothing between the leader and one other coordinator',
    expected: 'no effect: a dead member is replaced',
    run: twoCoordinators,
  },
  {
    name: 'agents-cut',
    fault: 'no heartbeat reaches any coordinator',
    expected: 'every observer abstains; nobody is replaced',
    run: agentsFromCoordinators,
  },
  {
    name: 'one-agent-cut',
    fault: 'the heartbeats of one healthy member dropped',
    expected: 'it is fenced and replaced, once',
    run: oneAgentFromCoordinators,
  },
  {
    name: 'etcd-member-cut',
    fault: "the etcd member of the leader's zone cut from its peers",
    expected: 'no effect: a dead member is replaced',
    run: etcdPeers,
  },
  {
    name: 'leader-cut-from-etcd',
    fault: 'the leader reaches no etcd member',
    expected: 'it steps down; another replaces a dead member',
    run: leaderFromEtcd,
  },
  {
    name: 'etcd-cut',
    fault: 'no coordinator reaches etcd',
    expected: 'nothing is done until it is back',
    run: allFromEtcd,
  },
  {
    name: 'loss-heartbeats',
    fault: '30 % of all heartbeats and acks lost',
    expected: 'a dead member is replaced, nobody else',
    run: lossOfHeartbeats,
  },
  {
    name: 'loss-zone',
    fault: "30 % of all packets into and out of the leader's zone lost",
    expected: 'a dead member is replaced, nobody else',
    run: lossOfZone,
  },
  {
    name: 'loss-everywhere',
    fault: '30 % of all packets between all zones lost for 12 s',
    expected: 'a dead member is replaced, nobody else; at the latest after the healing',
    run: lossEverywhere,
  },
];
