import { describe, expect, it } from 'vitest';
import { addressText } from './address.ts';
import { readTerraformState } from './read-state.ts';

const read = (value: unknown) =>
  readTerraformState(JSON.stringify(value), 'file').map(
    ({ address, values }) => `${addressText(address)} ${String(values['id'])}`,
  );

describe('a Terraform state', () => {
  it('is read from a file of version 4: managed ones, each instance, none that is deposed', () => {
    const instances = [
      { index_key: 'a', attributes: { id: 'i-1' } },
      { index_key: 'a', deposed: 'x', attributes: { id: 'i-0' } },
      { index_key: 1, attributes: { id: 'i-2' } },
    ];
    const resources = [
      { module: 'module.m["k"].module.n', mode: 'managed', type: 'aws_instance', name: 'db', instances },
      { mode: 'data', type: 'aws_ami', name: 'x', instances: [{ attributes: { id: 'ami-1' } }] },
    ];
    expect(read({ version: 4, serial: 1, resources })).toEqual([
      'module.m["k"].module.n.aws_instance.db["a"] i-1',
      'module.m["k"].module.n.aws_instance.db[1] i-2',
    ]);
  });

  it('is read from terraform show -json, modules in modules', () => {
    const one = (name: string, id: string) => ({ mode: 'managed', type: 'aws_instance', name, values: { id } });
    const deep = { address: 'module.a[0]', resources: [{ ...one('deep', 'i-2'), index: 0 }] };
    const values = { root_module: { resources: [one('db', 'i-1')], child_modules: [deep] } };
    expect(read({ format_version: '1.0', values })).toEqual([
      'aws_instance.db i-1',
      'module.a[0].aws_instance.deep[0] i-2',
    ]);
    expect(read({ format_version: '1.0' })).toEqual([]);
  });

  it.each([
    [{ version: 3, modules: [] }],
    [[]],
    [{ version: 4, resources: [{ mode: 'managed', type: 'aws_instance', name: 'a b', instances: [{}] }] }],
    [{ version: 4, resources: [{ module: 'x', mode: 'managed', type: 'a', name: 'b', instances: [{}] }] }],
  ])('is refused where it is none: %j', (value) => {
    expect(() => read(value)).toThrow('CONFIG_INVALID');
  });

  it('is refused where it is no JSON', () => {
    expect(() => readTerraformState('{', 'file')).toThrow('file is no JSON');
  });
});
