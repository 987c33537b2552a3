import { rawOf, textOf } from '@understudy/shared';
import { notDefault } from './compute.ts';
import { type FidelityTheme, when } from './row.ts';

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
      },
      loss: [
        {
          code: 'RebootMigrationLost',
          text: ({ input }) => {
            const migration = textOf(rawOf(input.instance.raw.MaintenanceOptions).RebootMigration) ?? 'default';
            return when(
              migration !== 'default',
              `reboot migration is ${migration}; a launch cannot set it: put it back with ModifyInstanceMaintenanceOptions`,
            );
          },
        },
      ],
      why: 'A launch takes AutoRecovery alone.',
    },
  ],
};
