import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_CALLS, AWS_CALLS } from '@understudy/aws';
import { expect, test } from 'vitest';
import { ROOT } from './tidy/source.ts';

/** No part of the product: tests, AWS's side of it, and the local cluster's operator. */
const NOT_OURS =
  /\.(?:test|fixtures?)\.ts$|\/testing(?:\/|\.ts$)|\/dist\/|\/node_modules\/|^packages\/(?:cloud-sim|local-cluster)\//;

const sources = (): readonly string[] =>
  readdirSync(join(ROOT, 'packages'), { recursive: true, encoding: 'utf8' })
    .map((path) => `packages/${path}`)
    .filter((path) => /^packages\/\w[\w-]*\/src\/.*\.ts$/.test(path) && !NOT_OURS.test(path));

/** IAM's prefix of a service, by the name of its client. */
const PREFIXES: Readonly<Record<string, string>> = {
  eventbridge: 'events',
  'elastic-load-balancing-v2': 'elasticloadbalancing',
  'route-53': 'route53',
  'secrets-manager': 'secretsmanager',
};

/** Every command of an AWS client that a file names: `service:Action`. */
function commandsIn(text: string): readonly string[] {
  const clients = [...text.matchAll(/from '@aws-sdk\/client-([\w-]+)'|import\('@aws-sdk\/client-([\w-]+)'\)/g)];
  return clients.flatMap(([, imported, loaded]) => {
    const client = imported ?? loaded ?? '';
    // Not the key of a table: Systems Manager has actions that end so themselves.
    const names = [...text.matchAll(/\b([A-Z]\w+)Command\b(?!:)/g)].map(([, name]) => name ?? '');
    return names.filter((name) => name !== '').map((name) => `${PREFIXES[client] ?? client}:${name}`);
  });
}

test('every action of AWS that any part of the product can send stands in the table of calls, and the other way round', () => {
  const files = sources();
  expect(files.length).toBeGreaterThan(300);
  const sent = new Set(files.flatMap((path) => commandsIn(readFileSync(join(ROOT, path), 'utf8'))));
  const known = AWS_CALLS.filter((call) => call.sender === 'coordinator').map((call) => call.action);
  const agents = Object.keys(AGENT_CALLS).filter((action) => !action.startsWith('kms:'));
  expect([...sent].toSorted()).toEqual([...new Set([...known, ...agents])].toSorted());
});

test('a command that is named anywhere is found', () => {
  expect(commandsIn("import { A, GetParameterCommand } from '@aws-sdk/client-ssm';")).toEqual(['ssm:GetParameter']);
  expect(commandsIn("import * as ec2 from '@aws-sdk/client-ec2';\nnew ec2.StartInstancesCommand({})")).toEqual([
    'ec2:StartInstances',
  ]);
});
