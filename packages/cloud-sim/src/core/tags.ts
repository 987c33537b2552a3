import type { ResourceType, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { Ec2Error } from './ec2-error.ts';
import type { SimTags } from './model.ts';

const TAGS_MAX = 50;

function checkTag(tag: Tag): [key: string, value: string] {
  const key = tag.Key ?? '';
  const value = tag.Value ?? '';
  if (key === '' || key.length > 127) {
    throw new Ec2Error('InvalidParameterValue', `Tag key must be 1 to 127 characters long, was ${key.length}`);
  }
  if (value.length > 255) {
    throw new Ec2Error('InvalidParameterValue', `Tag value exceeds the maximum length of 255, was ${value.length}`);
  }
  if (key.toLowerCase().startsWith('aws:')) {
    throw new Ec2Error('InvalidParameterValue', `Tag keys starting with 'aws:' are reserved for internal use`);
  }
  return [key, value];
}

/** @throws InvalidParameterValue, TagLimitExceeded */
export function withTags(tags: SimTags, added: readonly Tag[]): SimTags {
  const merged = { ...tags, ...Object.fromEntries(added.map(checkTag)) };
  const count = Object.keys(merged).length;
  if (count > TAGS_MAX) throw new Ec2Error('TagLimitExceeded', `${count} tags exceed the limit of ${TAGS_MAX}`);
  return merged;
}

/**
 * Tags a creating request gives to one kind of resource. A specification for a kind the action does
 * not make is refused.
 * @throws InvalidParameterValue, InvalidParameterCombination (one kind twice)
 */
export function tagsFor(
  specifications: readonly TagSpecification[] | undefined,
  kind: ResourceType,
  allowed: readonly ResourceType[] = [kind],
): SimTags {
  const seen = new Set<string>();
  for (const { ResourceType: type } of specifications ?? []) {
    if (type === undefined || !allowed.includes(type)) {
      throw new Ec2Error(
        'InvalidParameterValue',
        `'${type}' is not a valid taggable resource type for this operation.`,
      );
    }
    if (seen.has(type)) {
      throw new Ec2Error('InvalidParameterCombination', `Duplicate resource type '${type}' in tag specifications`);
    }
    seen.add(type);
  }
  const own = (specifications ?? []).find((specification) => specification.ResourceType === kind);
  const keys = (own?.Tags ?? []).map((tag) => tag.Key);
  if (new Set(keys).size !== keys.length) throw new Ec2Error('InvalidParameterValue', 'Duplicate tag keys found');
  return withTags({}, own?.Tags ?? []);
}
