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
import type { Call, Region } from '../region.ts';

const unknown = (name: string): Ec2Error =>
  new Ec2Error('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`);

/** @throws InvalidKeyPair.NotFound, also while the caller cannot see it yet */
export function needKeyPair(region: Region, call: Call, name: string): SimKeyPair {
  const found = call.instant ? region.keyPairs.get(name) : region.keyPairs.seen(name, call);
  if (!found || !region.keyPairs.has(name)) throw unknown(name);
  return found;
}

const FILTERS: FilterTable<SimKeyPair> = {
  'key-name': (one) => [one.id],
  'key-pair-id': (one) => [one.keyPairId],
};

export function describeKeyPairs(region: Region, call: Call, input: DescribeKeyPairsRequest): DescribeKeyPairsResult {
  const named = input.KeyNames?.map((name) => needKeyPair(region, call, name));
  const found = applyFilters(named ?? region.keyPairs.allSeen(call), input.Filters, FILTERS);
  return {
    KeyPairs: found.map((one) => ({
      KeyName: one.id,
      KeyPairId: one.keyPairId,
      KeyType: 'ed25519',
      Tags: tagList(one.tags),
    })),
  };
}

export function putKeyPair(region: Region, call: Call, name: string, tags: SimKeyPair['tags'] = {}): SimKeyPair {
  return region.keyPairs.put({ id: name, keyPairId: region.newId('key'), tags }, region.nowMs, call.instant);
}

function make(region: Region, call: Call, input: CreateKeyPairRequest | ImportKeyPairRequest): KeyPair {
  const name = input.KeyName ?? '';
  if (name === '') throw new Ec2Error('MissingParameter', 'The request must contain the parameter KeyName');
  if (region.keyPairs.has(name)) {
    throw new Ec2Error('InvalidKeyPair.Duplicate', `The keypair '${name}' already exists.`);
  }
  const made = putKeyPair(region, call, name, tagsFor(input.TagSpecifications, 'key-pair'));
  return { KeyName: name, KeyPairId: made.keyPairId, KeyFingerprint: region.random.hex(16) };
}

/** The key itself is no key, because nobody logs in here. */
export const createKeyPair = (region: Region, call: Call, input: CreateKeyPairRequest): KeyPair => ({
  ...make(region, call, input),
  KeyMaterial: 'simulated',
});

export const importKeyPair = (region: Region, call: Call, input: ImportKeyPairRequest): KeyPair =>
  make(region, call, input);

/** Deleting an absent key pair succeeds. */
export function deleteKeyPair(region: Region, _call: Call, input: DeleteKeyPairRequest): object {
  const name = input.KeyName ?? region.keyPairs.all().find((one) => one.keyPairId === input.KeyPairId)?.id ?? '';
  region.keyPairs.remove(name, region.nowMs);
  return { Return: true };
}
