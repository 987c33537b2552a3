import assert from 'node:assert/strict';
import { FORM_NAMES, type FormName } from '../../foreign/forms.ts';
import type { Lab } from '../lab/lab.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { fail, memberOutside, seconds } from './while.ts';

/** Calls of a recovery to EC2 in this lab. */
const CHANGES = [
  'StopInstances',
  'CreateSnapshots',
  'CreateNetworkInterface',
  'RegisterImage',
  'RunInstances',
  'ModifyInstanceAttribute',
  'DisassociateAddress',
  'AssociateAddress',
  'CreateTags',
  'ModifyNetworkInterfaceAttribute',
] as const;
const READS = [
  'DescribeInstances',
  'DescribeInstanceStatus',
  'DescribeVolumes',
  'DescribeSnapshots',
  'DescribeImages',
  'DescribeNetworkInterfaces',
  'DescribeAddresses',
] as const;

/**
 * Breaks the first answer to every action of one recovery in this form, in turns after EC2 has done
 * it and without it having heard.
 */
async function breakEach(lab: Lab, form: FormName): Promise<ScenarioResult> {
  const parity = FORM_NAMES.indexOf(form) % 2;
  const breakages = [...CHANGES, ...READS].map((action, index) => ({
    action,
    ...lab.proxy.break({ action, form, applied: index % 2 === parity }),
  }));
  const victim = memberOutside(lab);
  const tookMs = await fail(lab, victim)();
  const untouched = breakages.filter((one) => one.struck().length === 0).map((one) => one.action);
  // A move that EC2 made at once, or an answer that was adopted, may save a later call.
  assert.ok(CHANGES.length - untouched.length >= 8, `not asked for: ${untouched.join(', ')}`);
  const struck = breakages.filter((one) => one.struck().length > 0).map((one) => one.action);
  for (const one of breakages) one.end();
  return {
    evidence: `${struck.length} actions answered by ${form}: ${struck.join(', ')}`,
    outcome: `replaced after ${seconds(tookMs)}`,
    victims: [victim],
    replaced: [victim],
  };
}

const nameOf = (form: FormName): string => form.toLowerCase().replace(/[^a-z0-9]+/g, '-');

export const FOREIGN_ANSWERS: readonly Scenario[] = FORM_NAMES.map((form) => ({
  name: `foreign-${nameOf(form)}`,
  fault: `one answer to every EC2 action is broken: ${form}`,
  expected: 'none is believed, one launch, replaced',
  run: (lab) => breakEach(lab, form),
}));
