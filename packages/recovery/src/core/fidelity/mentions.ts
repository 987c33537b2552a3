import type { PlanInput } from '../plan-input.ts';
import { type FidelityTheme, when } from './row.ts';

/** Routes that will lead nowhere, each as destination and table. */
const routesLeft = ({ instance, references: { routes } }: PlanInput): string | null => {
  const interfaces = new Set(instance.networkInterfaces.map((one) => one.networkInterfaceId));
  const own = (routes ?? []).filter(
    (route) => route.instanceId === instance.instanceId || interfaces.has(route.networkInterfaceId ?? ''),
  );
  const named = own.slice(0, 10).map((route) => `${route.destination} in ${route.routeTableId}`);
  const more = own.length > named.length ? ` and ${own.length - named.length} more` : '';
  return when(
    own.length > 0,
    `routes lead to the old instance and are not moved: ${named.join(', ')}${more}. Replace them (ReplaceRoute) with the new interface`,
  );
};

/** Who names the instance or its interface, and goes on naming the old one. */
export const MENTIONS: FidelityTheme = {
  theme: 'References from elsewhere',
  rows: [
    {
      number: 41,
      attribute: 'references to the instance and its interface',
      read: ['RouteTable.Routes[]'],
      loss: [
        {
          code: 'RoutesUnknown',
          text: ({ input }) =>
            when(
              input.references.routes === null,
              'EC2 did not tell the route tables: routes to the old instance stay behind',
            ),
        },
        { code: 'RoutesNotMoved', text: ({ input }) => routesLeft(input) },
        {
          code: 'InsideReferences',
          text: () =>
            'in the VPC these were not looked up, and keep naming the old instance or interface: flow logs, traffic mirroring, Global Accelerator endpoints, event windows, target groups by instance id, Transit Gateway and peering routes in other VPCs',
        },
        {
          code: 'OutsideReferences',
          text: () =>
            'what names the old instance id outside EC2 keeps naming it: CloudWatch alarms with an InstanceId dimension (PutMetricAlarm with the new id), SSM associations by instance id (target them by tag), health checks, monitoring, Active Directory and Config objects; assignments of DLM and AWS Backup by tag follow the tags',
        },
      ],
      why: 'The id of the instance changes. What stands elsewhere under the old one is for those who wrote it.',
    },
  ],
};
