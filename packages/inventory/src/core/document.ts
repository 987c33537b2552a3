/** A resource as the service words it, in its canonical form. */
export type Json = null | boolean | number | string | JsonList | JsonObject;
export type JsonList = readonly Json[];
export interface JsonObject {
  readonly [member: string]: Json;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isList = (value: Json | undefined): value is JsonList => Array.isArray(value);

/** A string that is there, or null. */
export const wordIn = (document: JsonObject, member: string): string | null => {
  const value = document[member];
  return typeof value === 'string' && value !== '' ? value : null;
};

/** Members that tell the objects of a list apart, in the order in which they are tried. */
const KEYS = [
  'DeviceName',
  'Key',
  'NetworkInterfaceId',
  'GroupId',
  'VolumeId',
  'AllocationId',
  'AssociationId',
  'PrivateIpAddress',
  'Ipv6Address',
  'CidrIp',
  'Name',
  'Value',
] as const;

/**
 * What tells the objects of a list apart: one word for each, all different. Null: the list is of
 * something else, or two of them have the same.
 */
export function keysOf(list: JsonList): readonly string[] | null {
  const objects = list.filter(isObject);
  if (objects.length !== list.length || list.length === 0) return null;
  for (const member of KEYS) {
    const words = objects.flatMap((one) => wordIn(one, member) ?? []);
    if (words.length === list.length && new Set(words).size === words.length) return words;
  }
  return null;
}
