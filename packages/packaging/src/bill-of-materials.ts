import { createHash } from 'node:crypto';
import { Contrib, Enums, Models, Serialize, Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { PackageURL } from 'packageurl-js';
import parseLicence from 'spdx-expression-parse';
import type { BuildInfo } from './build-info.ts';
import type { NodeRuntime } from './node-runtime.ts';
import type { ShippedPackage } from './shipped-packages.ts';

const SPEC = Spec.Spec1dot6;
const licences = new Contrib.License.Factories.LicenseFactory((text) => void parseLicence(text));

export interface Contents {
  /** `understudy-agent` or `understudy-coordinator`. */
  readonly part: string;
  readonly node: NodeRuntime;
  readonly packages: readonly ShippedPackage[];
}

/**
 * What is in a part that we ship, as CycloneDX 1.6 JSON: Node, and every package that the bundles
 * hold code of, each with its licence, the digest of its archive and its package URL. The same
 * contents make the same text.
 * @throws Error when it does not keep to the schema.
 */
export async function billOfMaterials(build: BuildInfo, contents: Contents): Promise<string> {
  const text = serialised(bomOf(build, contents));
  await checkBill(text);
  return `${text}\n`;
}

/** @throws Error with what breaks the schema of CycloneDX 1.6, unknown fields included. */
export async function checkBill(text: string): Promise<void> {
  const fault = await new Validation.JsonStrictValidator(SPEC.version).validate(text);
  if (fault !== null) throw new Error(`the bill of materials breaks its schema: ${JSON.stringify(fault)}`);
}

const serialised = (bom: Models.Bom): string =>
  new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(SPEC)).serialize(bom, {
    sortLists: true,
    space: 2,
  });

function bomOf(build: BuildInfo, { part, node, packages }: Contents): Models.Bom {
  const bom = new Models.Bom();
  const ours = new Models.Component(Enums.ComponentType.Application, part, {
    version: build.version,
    bomRef: part,
    licenses: new Models.LicenseRepository([licences.makeFromString('Apache-2.0')]),
    description: `for linux-${node.architecture}, commit ${build.commit}`,
  });
  bom.metadata = new Models.Metadata({ component: ours, timestamp: new Date(build.sourceDateEpochS * 1000) });
  for (const component of [runtimeOf(node), ...packages.map(componentOf)]) {
    bom.components.add(component);
    ours.dependencies.add(component.bomRef);
  }
  bom.serialNumber = serialNumber(serialised(bom));
  return bom;
}

const runtimeOf = ({ architecture, version, integrity }: NodeRuntime): Models.Component =>
  componentOf({
    name: `node-linux-${architecture}`,
    version,
    licence: 'MIT',
    description: 'Node.js and what is built into it',
    integrity,
    licenceTexts: [],
  });

function componentOf({ name, version, licence, description, integrity }: ShippedPackage): Models.Component {
  const [scope, base] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = new PackageURL('npm', scope, base ?? name, version).toString();
  return new Models.Component(Enums.ComponentType.Library, base ?? name, {
    ...(scope === undefined ? {} : { group: scope }),
    version,
    purl,
    bomRef: purl,
    ...(description === '' ? {} : { description }),
    licenses: new Models.LicenseRepository([licences.makeFromString(licence)]),
    ...(integrity === null
      ? {}
      : { hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-512'], hexOf(integrity)]]) }),
  });
}

/**
 * `sha512-<base64>` → hex.
 * @throws Error on any other digest: the library would leave it out without a word.
 */
function hexOf(integrity: string): string {
  const hex = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
  if (hex.length !== 128) throw new Error(`${integrity}: want a digest sha512-…`);
  return hex;
}

/** A UUID of version 8 (RFC 9562) that says the contents. */
function serialNumber(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}
