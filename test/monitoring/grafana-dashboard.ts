import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** One line of a panel: what it asks, and how its series are called. */
type Line = readonly [expr: string, legend: string];

/** A panel of the dashboard, as data: the tests read the queries from here too. */
interface Graph {
  readonly title: string;
  readonly about: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly lines: readonly Line[];
  /** A single number, and no graph. */
  readonly single?: true;
}

interface Row {
  readonly title: string;
  readonly panels: readonly Graph[];
}

const OF_GROUP = 'group=~"$group"';

/** All coordinators show what the leader judges, hence `max by`. */
const ROWS: readonly Row[] = [
  {
    title: 'At a glance',
    panels: [
      {
        title: 'Members',
        about: 'Members by verdict, as the leader judges.',
        ...{ unit: 'none', single: true },
        lines: [[`sum by (verdict) (max by (group, verdict) (understudy_members{${OF_GROUP}}))`, '{{verdict}}']],
      },
      {
        title: 'Held',
        about: 'Failed members that are not replaced, by reason.',
        ...{ unit: 'none', single: true },
        lines: [
          [`sum by (reason) (max by (group, reason) (understudy_holds{${OF_GROUP}})) or vector(0)`, '{{reason}}'],
        ],
      },
      {
        title: 'Leaders',
        about: 'One, but for the seconds of an election.',
        ...{ unit: 'none', single: true },
        lines: [['sum(understudy_leader)', 'leaders']],
      },
      {
        title: 'Paused members',
        about: 'They would not be replaced.',
        ...{ unit: 'none', single: true },
        lines: [[`sum(max by (group) (understudy_members_paused{${OF_GROUP}}))`, 'paused']],
      },
    ],
  },
  {
    title: 'Members and recoveries',
    panels: [
      {
        title: 'If it failed now: worst time out of service',
        about: 'Predicted, from the failure, on a bad day.',
        unit: 's',
        lines: [[`max by (group) (understudy_readiness_rto_seconds{${OF_GROUP}})`, '{{group}}']],
      },
      {
        title: 'In the way of recoveries',
        about: 'By group and kind, before anything has failed.',
        unit: 'none',
        lines: [[`max by (group, kind) (understudy_readiness_blockers{${OF_GROUP}})`, '{{group}} {{kind}}']],
      },
      {
        title: 'Verdicts but alive',
        about: 'Members by group and verdict.',
        unit: 'none',
        lines: [
          [`max by (group, verdict) (understudy_members{${OF_GROUP}, verdict!="alive"})`, '{{group}} {{verdict}}'],
        ],
      },
      {
        title: 'Holds',
        about: 'Held members by group and reason.',
        unit: 'none',
        lines: [[`max by (group, reason) (understudy_holds{${OF_GROUP}})`, '{{group}} {{reason}}']],
      },
      {
        title: 'Open recoveries',
        about: 'Begun and not ended.',
        unit: 'none',
        lines: [[`max by (group) (understudy_recoveries_open{${OF_GROUP}})`, '{{group}}']],
      },
      {
        title: 'Duration of recoveries',
        about: 'Mean of the last day, from intent to end.',
        unit: 's',
        lines: [
          [
            `max by (group, outcome) (increase(understudy_recovery_duration_seconds_sum{${OF_GROUP}}[1d]) / increase(understudy_recovery_duration_seconds_count{${OF_GROUP}}[1d]))`,
            '{{group}} {{outcome}}',
          ],
        ],
      },
      {
        title: 'Recoveries by way',
        about: 'Ended in the last day, by strategy and outcome: how often each rung of the ladder helped.',
        unit: 'none',
        lines: [
          [
            'max by (strategy, outcome) (increase(understudy_recovery_strategy_seconds_count[1d]))',
            '{{strategy}} {{outcome}}',
          ],
        ],
      },
      {
        title: 'Duration by way',
        about: 'Mean of the last day, from intent to end, by strategy and outcome.',
        unit: 's',
        lines: [
          [
            'max by (strategy, outcome) (increase(understudy_recovery_strategy_seconds_sum[1d]) / increase(understudy_recovery_strategy_seconds_count[1d]))',
            '{{strategy}} {{outcome}}',
          ],
        ],
      },
      {
        title: 'Disks by path',
        about: 'Disks of members that were replaced in the last day, by how they got to the replacement.',
        unit: 'none',
        lines: [['max by (path) (increase(understudy_recovered_volumes_total[1d]))', '{{path}}']],
      },
      {
        title: 'Problems',
        about: 'What `understudy status` shows, by code.',
        unit: 'none',
        lines: [['max by (code) (understudy_problems)', '{{code}}']],
      },
      {
        title: 'Hooks',
        about: 'Runs of hooks, by moment and outcome, each second.',
        unit: 'ops',
        lines: [['sum by (at, outcome) (rate(understudy_hook_seconds_count[$__rate_interval]))', '{{at}} {{outcome}}']],
      },
      {
        title: 'Left behind',
        about: 'What ended recoveries still have to remove or to put in place.',
        unit: 'none',
        lines: [
          ['max by (kind) (understudy_leftovers)', '{{kind}}'],
          ['max(understudy_leftovers_obstructed)', 'obstructed'],
        ],
      },
    ],
  },
  {
    title: 'Coordinators',
    panels: [
      {
        title: 'Who leads',
        about: '1: this coordinator leads.',
        unit: 'none',
        lines: [['understudy_leader', '{{instance}}']],
      },
      {
        title: 'Age of the view of etcd',
        about: 'Time since etcd last answered.',
        unit: 's',
        lines: [['understudy_store_contact_age_seconds', '{{instance}}']],
      },
      {
        title: 'Heartbeats',
        about: 'Authenticated and fresh, each second.',
        unit: 'pps',
        lines: [['rate(understudy_heartbeats_received_total[$__rate_interval])', '{{instance}}']],
      },
      {
        title: 'Datagrams dropped',
        about: 'By reason, each second; kernel and ring: heartbeats that were lost on this host.',
        unit: 'pps',
        lines: [
          ['sum by (reason) (rate(understudy_datagrams_dropped_total[$__rate_interval]))', '{{reason}}'],
          ['sum(rate(understudy_kernel_datagrams_dropped_total[$__rate_interval]))', 'kernel'],
          ['sum(rate(understudy_ring_datagrams_dropped_total[$__rate_interval]))', 'ring'],
        ],
      },
      {
        title: 'EC2 calls',
        about: 'Sent, by action and outcome, each second.',
        unit: 'reqps',
        lines: [
          ['sum by (action, outcome) (rate(understudy_ec2_calls_total[$__rate_interval]))', '{{action}} {{outcome}}'],
        ],
      },
      {
        title: 'Work of one tick',
        about: '99th percentile of the synchronous work of the loop.',
        unit: 's',
        lines: [
          [
            'histogram_quantile(0.99, sum by (le, instance) (rate(understudy_tick_seconds_bucket[$__rate_interval])))',
            '{{instance}}',
          ],
        ],
      },
    ],
  },
];

/** Every query of the dashboard. */
export const GRAFANA_QUERIES: readonly string[] = ROWS.flatMap(({ panels }) =>
  panels.flatMap(({ lines }) => lines.map(([expr]) => expr)),
);

const WIDTH = 24;
const HEIGHT = { single: 4, graph: 8 } as const;

const dataSource = { type: 'prometheus', uid: '${datasource}' };

function panelOf({ title, about, unit, lines, single }: Graph, width: number): Builder<Panel> {
  const panel = single ? new StatBuilder() : new TimeSeriesBuilder().min(0);
  panel
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(dataSource)
    .height(HEIGHT[single ? 'single' : 'graph'])
    .span(width);
  for (const [expr, legend] of lines) panel.withTarget(new DataqueryBuilder().expr(expr).legendFormat(legend));
  return panel;
}

/** The dashboard in `deploy/monitoring/grafana-dashboard.json`, ready to be imported. */
export function grafanaDashboard(): Dashboard {
  const dashboard = new DashboardBuilder('Understudy')
    .uid('understudy')
    .tags(['understudy'])
    .description('Members, recoveries and coordinators of Understudy.')
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').type('prometheus').label('Data source'))
    .withVariable(
      new QueryVariableBuilder('group')
        .label('Group')
        .datasource(dataSource)
        .query('label_values(understudy_members, group)')
        .includeAll(true)
        .multi(true),
    );
  for (const { title, panels } of ROWS) {
    dashboard.withRow(new RowBuilder(title));
    const perLine = panels.every((one) => one.single) ? panels.length : 3;
    for (const panel of panels) dashboard.withPanel(panelOf(panel, WIDTH / perLine));
  }
  return dashboard.build();
}
