import { describe, expect, it } from 'vitest';
import { parseUnits } from './systemctl.ts';

const sightOf = (lines: readonly string[]) => parseUnits(lines.join('\n'), ['db.service'])?.units[0];
const shown = (loadState: string, activeState: string, tasks: string) =>
  sightOf(['Id=db.service', `LoadState=${loadState}`, `ActiveState=${activeState}`, `TasksCurrent=${tasks}`]);

describe('what systemctl show says of a unit', () => {
  it('a running unit whose file has vanished is seen running', () => {
    expect(shown('not-found', 'active', '4')).toMatchObject({ loaded: false, activeState: 'active', tasks: 4 });
  });

  it.each([
    ['3', 3],
    ['0', 0],
    ['[not set]', 0],
    ['18446744073709551615', 0],
    ['', 0],
  ])('TasksCurrent=%s is %i left behind', (text, tasks) => {
    expect(shown('loaded', 'inactive', text)?.tasks).toBe(tasks);
  });

  it('nothing is known of units that it does not tell of', () => {
    expect(parseUnits('Id=a.service\nActiveState=active\n', ['a.service', 'b.service'])).toBeNull();
    expect(sightOf(['Id=db.service', 'LoadState=loaded'])).toBeUndefined();
  });
});
