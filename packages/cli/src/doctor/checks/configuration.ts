import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { fault, ok } from '../finding.ts';

export const configuration = check(
  'configuration',
  ({ configPath, configFault }: CoordinatorHost) => ({ configPath, configFault }),
  ({ configPath, configFault }) =>
    configFault === null
      ? [ok(`${configPath} is valid`)]
      : [fault(configFault, 'correct the named fields; a coordinator does not start before')],
);
