import { address } from './address.ts';
import { image } from './image.ts';
import { instance } from './instance.ts';
import { networkInterface } from './interface.ts';
import type { Kind } from './kind.ts';
import { record } from './record.ts';
import { securityGroup } from './security-group.ts';
import { snapshot } from './snapshot.ts';
import { subnet } from './subnet.ts';
import { target } from './target.ts';
import { targetGroup } from './target-group.ts';
import { volume } from './volume.ts';

/** Every kind of resource, in the order of a crawl. A new one is a file here and a line. */
export const KINDS: readonly Kind[] = [
  instance,
  volume,
  snapshot,
  networkInterface,
  address,
  securityGroup,
  subnet,
  image,
  targetGroup,
  target,
  record,
];

/** Null: there is no kind of this name. */
export const kindNamed = (name: string): Kind | null => KINDS.find((kind) => kind.name === name) ?? null;
