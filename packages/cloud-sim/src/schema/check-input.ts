import type { NormalizedSchema } from '@smithy/core/schema';
import { operationSchema } from './operations.ts';

export interface InputProblem {
  readonly code: string;
  readonly message: string;
  readonly httpStatus: number;
}

const bad = (code: string, message: string): InputProblem => ({ code, message, httpStatus: 400 });

const MAX_DEPTH = 16;
/**
 * Struct schemas keep the number of required members, which come first, in this place of the tuple.
 */
const REQUIRED_COUNT_AT = 6;

export function requiredMembers(schema: NormalizedSchema): readonly string[] {
  const raw = schema.getSchema() as unknown;
  const count = Array.isArray(raw) ? raw[REQUIRED_COUNT_AT] : 0;
  const names = Array.isArray(raw) ? (raw[4] as readonly string[]) : [];
  return typeof count === 'number' ? names.slice(0, count) : [];
}

function checkStruct(schema: NormalizedSchema, value: object, path: string, depth: number): InputProblem | null {
  const members = new Map(schema.structIterator());
  for (const name of requiredMembers(schema)) {
    if ((value as Record<string, unknown>)[name] === undefined) {
      return bad('MissingParameter', `The request must contain the parameter ${path}${name}`);
    }
  }
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const memberSchema = members.get(name);
    if (!memberSchema) return bad('UnknownParameter', `The parameter ${path}${name} is not recognized`);
    const problem = checkValue(memberSchema, member, `${path}${name}`, depth + 1);
    if (problem) return problem;
  }
  return null;
}

function checkList(schema: NormalizedSchema, value: readonly unknown[], path: string, depth: number) {
  const member = schema.getValueSchema();
  for (const [i, item] of value.entries()) {
    const problem = checkValue(member, item, `${path}.${i + 1}`, depth + 1);
    if (problem) return problem;
  }
  return null;
}

function checkMap(schema: NormalizedSchema, value: object, path: string, depth: number) {
  const member = schema.getValueSchema();
  for (const [key, item] of Object.entries(value)) {
    const problem = checkValue(member, item, `${path}.${key}`, depth + 1);
    if (problem) return problem;
  }
  return null;
}

function scalarFits(schema: NormalizedSchema, value: unknown): boolean {
  if (schema.isStringSchema()) return typeof value === 'string';
  if (schema.isBooleanSchema()) return typeof value === 'boolean';
  if (schema.isNumericSchema()) return typeof value === 'number' && Number.isFinite(value);
  if (schema.isTimestampSchema()) return value instanceof Date;
  if (schema.isBlobSchema()) return value instanceof Uint8Array;
  return true;
}

function checkValue(schema: NormalizedSchema, value: unknown, path: string, depth: number): InputProblem | null {
  if (depth > MAX_DEPTH) return bad('InvalidParameterValue', `The parameter ${path} is nested too deeply`);
  const wrong = () => bad('InvalidParameterValue', `Invalid value (${String(value)}) for parameter ${path}`);
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
  if (schema.isStructSchema()) return isObject ? checkStruct(schema, value, `${path}.`, depth) : wrong();
  if (schema.isMapSchema()) return isObject ? checkMap(schema, value, path, depth) : wrong();
  if (schema.isListSchema()) return Array.isArray(value) ? checkList(schema, value, path, depth) : wrong();
  return scalarFits(schema, value) ? null : wrong();
}

/**
 * Checks a request in SDK names against the service model: unknown, missing and mistyped members.
 * Null when it fits.
 */
export function checkInput(action: string, input: Record<string, unknown>): InputProblem | null {
  const operation = operationSchema(action);
  if (!operation) return bad('InvalidAction', `The action ${action} is not valid for this web service.`);
  return checkStruct(operation.input, input, '', 0);
}
