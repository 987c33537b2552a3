import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, SpecDatabase } from '@aws-cdk/service-spec-types';
import type { Resource, Template } from './read-template.ts';
import { functionIn, isRecord, type Names, referenceFaults, refsOf } from './references.ts';

/**
 * A template held against the resource specification that CloudFormation publishes, offline: types
 * of resources, names and types of properties however deep, what is required, and every reference.
 */
export async function templateValidator(): Promise<(template: Template) => readonly string[]> {
  const spec = await loadAwsServiceSpec();
  return (template) => new Validation(spec, template).faults();
}

interface Conditioned {
  readonly Condition?: string | undefined;
  readonly [part: string]: unknown;
}
type Properties = Readonly<Record<string, Property>>;

const TAG: Properties = {
  Key: { type: { type: 'string' }, required: true },
  Value: { type: { type: 'string' }, required: true },
};

class Validation {
  readonly #spec: SpecDatabase;
  readonly #template: Template;
  readonly #names: Names;

  constructor(spec: SpecDatabase, template: Template) {
    this.#spec = spec;
    this.#template = template;
    this.#names = {
      refs: refsOf(template),
      conditions: new Set(Object.keys(template.Conditions ?? {})),
      conditionOf: (resource) => template.Resources[resource]?.Condition ?? null,
      attributes: (resource) => this.#attributesOf(resource),
    };
  }

  faults(): readonly string[] {
    const { Resources, Conditions = {}, Outputs = {} } = this.#template;
    return [
      ...Object.entries(Resources).flatMap(([name, resource]) => this.#resourceFaults(name, resource)),
      ...referenceFaults(this.#names, Conditions, 'Conditions'),
      ...Object.entries(Outputs).flatMap(([name, output]) => this.#underCondition(`Outputs.${name}`, output)),
    ];
  }

  #specOf(type: string) {
    return this.#spec.lookup('resource', 'cloudFormationType', 'equals', type)[0] ?? null;
  }

  #attributesOf(name: string): ReadonlySet<string> | null {
    const resource = this.#template.Resources[name];
    const known = resource && this.#specOf(resource.Type);
    return known ? new Set([...Object.keys(known.attributes), ...Object.keys(known.properties)]) : null;
  }

  #resourceFaults(name: string, resource: Resource): readonly string[] {
    const path = `Resources.${name}`;
    const { Properties = {}, DependsOn = [], Condition } = resource;
    const depends = [DependsOn].flat().filter((one) => !Object.hasOwn(this.#template.Resources, one));
    const own = [
      ...depends.map((one) => `${path}: DependsOn ${one}, which is no resource`),
      ...this.#underCondition(path, { Condition, Properties }),
    ];
    const known = this.#specOf(resource.Type);
    if (known === null) return [...own, `${path}: ${resource.Type} is no type of resource`];
    return [...own, ...this.#membersFaults(known.properties, Properties, `${path}.Properties`)];
  }

  /** What stands under a condition of its own, or under none. */
  #underCondition(path: string, { Condition, ...rest }: Conditioned): readonly string[] {
    const isUnknown = Condition !== undefined && !this.#names.conditions.has(Condition);
    return [
      ...(isUnknown ? [`${path}: there is no condition ${Condition}`] : []),
      ...referenceFaults(this.#names, rest, path, new Set(Condition === undefined ? [] : [Condition])),
    ];
  }

  #membersFaults(known: Properties, given: Readonly<Record<string, unknown>>, path: string): readonly string[] {
    const missing = Object.entries(known).filter(([name, one]) => one.required === true && given[name] === undefined);
    return [
      ...missing.map(([name]) => `${path}: ${name} is required`),
      ...Object.entries(given).flatMap(([name, value]) => {
        const property = known[name];
        if (property === undefined) return [`${path}.${name}: there is no such property`];
        return this.#valueFaults(property.type, value, `${path}.${name}`);
      }),
    ];
  }

  #valueFaults(type: PropertyType, value: unknown, path: string): readonly string[] {
    const called = functionIn(value);
    if (called) return this.#functionFaults(type, called, path);
    const wrong = (want: string): readonly string[] => [
      `${path}: want ${want}, got ${JSON.stringify(value)?.slice(0, 60)}`,
    ];
    switch (type.type) {
      case 'array':
        if (!Array.isArray(value)) return wrong('a list');
        return value.flatMap((item, index) => this.#valueFaults(type.element, item, `${path}.${index}`));
      case 'map':
        if (!isRecord(value)) return wrong('a map');
        return Object.entries(value).flatMap(([key, item]) => this.#valueFaults(type.element, item, `${path}.${key}`));
      case 'ref': {
        if (!isRecord(value)) return wrong('a structure');
        return this.#membersFaults(this.#spec.get('typeDefinition', type.reference.$ref).properties, value, path);
      }
      case 'tag':
        return isRecord(value) ? this.#membersFaults(TAG, value, path) : wrong('a tag');
      case 'union': {
        const tried = type.types.map((one) => this.#valueFaults(one, value, path));
        return tried.some((faults) => faults.length === 0) ? [] : (tried[0] ?? []);
      }
      default:
        return isScalarOf(type.type, value) ? [] : wrong(`a ${type.type}`);
    }
  }

  /** What a function gives is known of lists and choices only. */
  #functionFaults(type: PropertyType, [name, argument]: readonly [string, unknown], path: string): readonly string[] {
    if (name === 'Ref') {
      if (argument === 'AWS::NoValue' || type.type === 'json' || type.type === 'union') return [];
      const isList = this.#names.refs.get(String(argument)) === 'list';
      if (isList !== (type.type === 'array') && this.#names.refs.has(String(argument)))
        return [
          `${path}: want ${type.type === 'array' ? 'a list' : 'one value'}, and ${String(argument)} is ${isList ? 'a list' : 'one'}`,
        ];
    }
    if (name !== 'Fn::If' || !Array.isArray(argument)) return [];
    return argument.slice(1).flatMap((branch) => this.#valueFaults(type, branch, path));
  }
}

/** CloudFormation takes a number for a text, and a text for a number or a yes, where it is one. */
function isScalarOf(type: string, value: unknown): boolean {
  const text = String(value);
  const isScalar = ['string', 'number', 'boolean'].includes(typeof value);
  switch (type) {
    case 'json':
      return isRecord(value) || typeof value === 'string';
    case 'boolean':
      return isScalar && /^(?:true|false)$/.test(text);
    case 'integer':
      return isScalar && /^-?\d+$/.test(text);
    case 'number':
      return isScalar && text.trim() !== '' && Number.isFinite(Number(text));
    default:
      return isScalar;
  }
}
