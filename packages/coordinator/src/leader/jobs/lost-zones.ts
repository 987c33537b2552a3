import { type Clock, groupOf, type Problem, problemOf, zonesCalledLost } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { Assessor, Judgement } from '../assessor.ts';
import type { LeaderJob } from './leader-job.ts';

export interface LostZonesJobOptions {
  readonly everyMs: number;
  readonly view: Pick<ClusterState, 'records' | 'policyOf'>;
  readonly assessor: Pick<Assessor, 'all'>;
  readonly clock: Clock;
}

const NAMED_MAX = 5;

/** Tells where a zone speaks that a person has called lost. */
export class LostZonesJob implements LeaderJob {
  readonly name = 'lost-zones';
  readonly everyMs: number;
  readonly #options: LostZonesJobOptions;
  #remarks: readonly Problem[] = [];

  constructor(options: LostZonesJobOptions) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  beginTerm(): void {
    this.#remarks = [];
  }

  async run(): Promise<void> {
    const { view, assessor, clock } = this.#options;
    const nowWallMs = clock.wallMs();
    const heard = [...assessor.all.values()].filter((one) => this.#isHeard(one));
    const byGroup = Map.groupBy(heard, ({ member }) => groupOf(member));
    this.#remarks = [...byGroup].flatMap(([group, own]) =>
      zonesCalledLost(view.policyOf(group), nowWallMs)
        .filter((one) => one.partly !== true)
        .flatMap(({ zone, until }) => {
          const there = own.filter((one) => one.az === zone).map(({ member }) => member);
          return there.length === 0 ? [] : [problemOf('LOST_ZONE_IS_HEARD', textOf({ group, zone, until, there }))];
        }),
    );
  }

  remarks(): readonly Problem[] {
    return this.#remarks;
  }

  /** By its activated instance, whose zone the record of the member names by now. */
  #isHeard({ member, instanceId, assessment }: Judgement): boolean {
    const { members } = this.#options.view.records;
    return assessment.verdict === 'alive' && members.get(member)?.record.instanceId === instanceId;
  }
}

interface Contradiction {
  readonly group: string;
  readonly zone: string;
  readonly until: string;
  readonly there: readonly string[];
}

function textOf({ group, zone, until, there }: Contradiction): string {
  const more = there.length > NAMED_MAX ? ` and ${there.length - NAMED_MAX} more` : '';
  const names = `${there.slice(0, NAMED_MAX).join(', ')}${more}`;
  return `the policy of ${group} calls ${zone} lost until ${until}, and ${names} there ${there.length === 1 ? 'is' : 'are'} heard: the word counts for nothing meanwhile`;
}
