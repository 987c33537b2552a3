import type {
  CreateKeyPairRequest,
  DeleteKeyPairRequest,
  DescribeKeyPairsRequest,
  DescribeKeyPairsResult,
  ImportKeyPairRequest,
  KeyPair,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import type { SimKeyPair } from '../model.ts';
import { tagsFor } from '../tags.ts';
import type { Call, World } from '../world.ts';

const unknown = (name: string): Ec2Error =>
  new Ec2Error('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`);

/** @throws InvalidKeyPair.NotFound, also while the caller cannot see it yet */
export function needKeyPair(world: World, call: Call, name: string): SimKeyPair {
  const found = call.instant ? world.keyPairs.get(name) : world.keyPairs.seen(name, call);
  if (!found || !world.keyPairs.has(name)) throw unknown(name);
  return found;
}

const FILTERS: FilterTable<SimKeyPair> = {
  'key-name': (one) => [one.id],
  'key-pair-id': (one) => [one.keyPairId],
};

export function describeKeyPairs(world: World, call: Call, input: DescribeKeyPairsRequest): DescribeKeyPairsResult {
  const named = input.KeyNames?.map((name) => needKeyPair(world, call, name));
  const found = applyFilters(named ?? world.keyPairs.allSeen(call), input.Filters, FILTERS);
  return {
    KeyPairs: found.map((one) => ({
      KeyName: one.id,
      KeyPairId: one.keyPairId,
      KeyType: 'ed25519',
      Tags: tagList(one.tags),
    })),
  };
}

export function putKeyPair(world: World, call: Call, name: string, tags: SimKeyPair['tags'] = {}): SimKeyPair {
  return world.keyPairs.put({ id: name, keyPairId: world.newId('key'), tags }, world.nowMs, call.instant);
}

function make(world: World, call: Call, input: CreateKeyPairRequest | ImportKeyPairRequest): KeyPair {
  const name = input.KeyName ?? '';
  if (name === '') throw new Ec2Error('MissingParameter', 'The request must contain the parameter KeyName');
  if (world.keyPairs.has(name)) {
    throw new Ec2Error('InvalidKeyPair.Duplicate', `The keypair '${name}' already exists.`);
  }
  const made = putKeyPair(world, call, name, tagsFor(input.TagSpecifications, 'key-pair'));
  return { KeyName: name, KeyPairId: made.keyPairId, KeyFingerprint: world.random.hex(16) };
}

/** The key itself is no key: nobody logs in here. */
export const createKeyPair = (world: World, call: Call, input: CreateKeyPairRequest): KeyPair => ({
  ...make(world, call, input),
  KeyMaterial: 'simulated',
});

export const importKeyPair = (world: World, call: Call, input: ImportKeyPairRequest): KeyPair =>
  make(world, call, input);

/** Deleting what is not there succeeds. */
export function deleteKeyPair(world: World, _call: Call, input: DeleteKeyPairRequest): object {
  const name = input.KeyName ?? world.keyPairs.all().find((one) => one.keyPairId === input.KeyPairId)?.id ?? '';
  world.keyPairs.remove(name, world.nowMs);
  return { Return: true };
}
