import { rawOf, textOf } from '@understudy/shared';
import type { PlanInput } from '../plan-input.ts';
import { notDefault } from './compute.ts';
import { isPutBackAt } from './put-back-level.ts';
import { type FidelityTheme, when } from './row.ts';

/** Undefined: the default. */
const migrationOf = ({ instance }: PlanInput): string | undefined =>
  textOf(notDefault(rawOf(instance.raw.MaintenanceOptions), 'RebootMigration')?.RebootMigration) ?? undefined;

export const PROTECTION: FidelityTheme = {
  theme: 'Protection',
  rows: [
    {
      number: 30,
      attribute: 'protection and shutdown behaviour',
      read: [
        'InstanceAttribute.DisableApiTermination',
        'InstanceAttribute.DisableApiStop',
        'InstanceAttribute.InstanceInitiatedShutdownBehavior',
      ],
      carry: {
        launch: {
          InstanceInitiatedShutdownBehavior: { value: ({ input }) => input.shutdownBehavior ?? undefined },
        },
        plan: { protection: ({ input }) => input.protection },
      },
      reapply: [
        {
          step: 'done',
          call: 'ModifyInstanceAttribute',
          chores: ({ plan: { protection }, newInstanceId: instanceId }) => {
            const { stop, termination } = protection;
            return stop || termination ? [{ kind: 'protect', instanceId, stop, termination }] : [];
          },
        },
      ],
      loss: [
        {
          code: 'ShutdownBehaviorUnknown',
          text: ({ input }) => when(input.shutdownBehavior === null, 'EC2 did not tell it: a shutdown will stop it'),
        },
      ],
      why: 'Protections come last: with them on, an attempt that fails could not be ended.',
    },
    {
      number: 31,
      attribute: 'maintenance options',
      read: ['Instance.MaintenanceOptions.AutoRecovery', 'Instance.MaintenanceOptions.RebootMigration'],
      carry: {
        launch: {
          MaintenanceOptions: {
            value: ({ input }) => notDefault(rawOf(input.instance.raw.MaintenanceOptions), 'AutoRecovery'),
          },
        },
        plan: { rebootMigration: ({ input }) => (isPutBackAt(input.level) ? migrationOf(input) : undefined) },
      },
      reapply: [
        {
          step: 'done',
          call: 'ModifyInstanceMaintenanceOptions',
          chores: ({ plan: { rebootMigration: value }, newInstanceId: instanceId }) =>
            value === undefined ? [] : [{ kind: 'reboot-migration', instanceId, value }],
        },
      ],
      loss: [
        {
          code: 'RebootMigrationLost',
          text: ({ input }) => {
            const migration = migrationOf(input);
            return when(
              migration !== undefined && !isPutBackAt(input.level),
              `reboot migration is ${migration ?? ''}; a launch cannot set it, and putting it back needs every coordinator upgraded`,
            );
          },
        },
      ],
      why: 'A launch takes AutoRecovery alone; the other is put back once the replacement serves.',
    },
  ],
};
