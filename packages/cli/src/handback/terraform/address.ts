import { hclText } from './hcl-text.ts';

type Key = string | number | null;

/** The address of a resource in a Terraform state, in its parts. */
export interface TerraformAddress {
  readonly modules: readonly { readonly name: string; readonly key: Key }[];
  readonly type: string;
  readonly name: string;
  readonly key: Key;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,254}$/;

export const isTerraformName = (text: string): boolean => NAME.test(text);

const keyText = (key: Key): string => (key === null ? '' : `[${typeof key === 'number' ? key : hclText(key)}]`);

export const addressText = ({ modules, type, name, key }: TerraformAddress): string =>
  [...modules.map((one) => `module.${one.name}${keyText(one.key)}`), `${type}.${name}${keyText(key)}`].join('.');

/** Blocks name whole resources: an instance of `count` or `for_each` is too small for them. */
export const hasKey = ({ modules, key }: TerraformAddress): boolean =>
  key !== null || modules.some((one) => one.key !== null);

const SEGMENT = /^module\.([A-Za-z_][A-Za-z0-9_-]*)(?:\[(?:(\d{1,9})|"((?:[^"\\]|\\["\\])*)")\])?(?:\.|$)/;

/** `module.a["b"].module.c` of a state. Null: it is nothing of the kind. */
export function parseModules(text: string): TerraformAddress['modules'] | null {
  const modules: { name: string; key: Key }[] = [];
  for (let rest = text; rest !== ''; ) {
    const found = SEGMENT.exec(rest);
    if (found === null) return null;
    const [whole, name = '', index, quoted] = found;
    modules.push({ name, key: index === undefined ? (quoted?.replaceAll(/\\(.)/g, '$1') ?? null) : Number(index) });
    rest = rest.slice(whole.length);
  }
  return modules;
}
