import type { PlannedRecord, PlannedTargets } from '@understudy/shared';
import { expect, test } from 'vitest';
import { owedNamesOf, withOwedNames } from './owed-names.ts';

const record = (values: readonly string[], name = 'db.example.com.'): PlannedRecord => ({
  ...{ zoneId: 'Z1', name, type: 'A', setIdentifier: null, exact: {} },
  values: values.map((value) => ({ value, becomes: 'private-ip' as const })),
});
const targets = (...ids: readonly string[]): PlannedTargets => ({
  targetGroupArn: 'arn:x:targetgroup/web/1',
  targetType: 'instance',
  targets: ids.map((id) => ({ id, port: 80, az: null })),
  zones: null,
});

test('what was not moved is owed; what was is not', () => {
  const plan = { records: [record(['10.0.0.1']), record(['10.0.0.1'], 'w.example.com.')], targets: [targets('i-1')] };
  const { owed, texts } = owedNamesOf(plan, (step) => step === 'record-Z1.A.db.example.com');
  expect(owed).toEqual({ owedRecords: [plan.records[1]], owedTargets: plan.targets });
  expect(texts).toEqual(['record w.example.com.', 'target group web.1']);
});

test('the next plan has what is owed, together with what it has found itself', () => {
  const before = { owedRecords: [record(['10.0.0.1'])], owedTargets: [targets('i-1')] };
  const found = { records: [record(['10.0.0.2'])], targets: [targets('i-2')] };
  expect(withOwedNames(found, before)).toEqual({
    ...{ records: [record(['10.0.0.2', '10.0.0.1'])], targets: [targets('i-2', 'i-1')] },
  });
  expect(withOwedNames({}, before)).toEqual({ records: before.owedRecords, targets: before.owedTargets });
  expect(withOwedNames({}, {})).toEqual({});
});
