import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { LONGEST } from './speeds.ts';

/**
 * The files that take longest come first, so that two processes end together: what comes last runs
 * alone. The rest is in Vitest's order.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
