import type { Clock } from '@understudy/shared';
import type { CoordinatorConfig } from '@understudy/coordinator';

/** The host that the checks of a coordinator look at. */
export interface CoordinatorHost {
  readonly configPath: string;
  /** Null: the file is not valid, which is a finding of its own. */
  readonly config: CoordinatorConfig | null;
  /** Why it is not. Null: it is. */
  readonly configFault: string | null;
  readonly clock: Clock;
}
