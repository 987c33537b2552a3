import type { AnyRoute } from './route.ts';
import { artefact } from './routes/artefact.ts';
import { acknowledge } from './routes/acknowledge.ts';
import { audit } from './routes/audit.ts';
import { drain, drains, transfer, undrain } from './routes/coordinators.ts';
import { hold, holdRelease } from './routes/hold.ts';
import { pauseCommands, pauses } from './routes/pauses.ts';
import { plan, plans } from './routes/plan.ts';
import { undo } from './routes/undo.ts';
import { policies, policiesApply, policy, policyPut, policyReset } from './routes/policies.ts';
import { dashboard } from './routes/dashboard.ts';
import { enrolments } from './routes/enrolments.ts';
import { errors } from './routes/errors.ts';
import { events } from './routes/events.ts';
import { explain } from './routes/explain.ts';
import { fleet } from './routes/fleet.ts';
import { handBack } from './routes/hand-back.ts';
import { healthz } from './routes/healthz.ts';
import { history } from './routes/history.ts';
import { holds } from './routes/holds.ts';
import { inventory } from './routes/inventory.ts';
import { keys } from './routes/keys.ts';
import { leftovers } from './routes/leftovers.ts';
import { members } from './routes/members.ts';
import { metrics } from './routes/metrics.ts';
import { noticeCommands } from './routes/notice-commands.ts';
import { notices } from './routes/notices.ts';
import { openapi } from './routes/openapi.ts';
import { readiness } from './routes/readiness.ts';
import { readyz } from './routes/readyz.ts';
import { recoveries } from './routes/recoveries.ts';
import { recoveryRequests } from './routes/recovery-requests.ts';
import { session } from './routes/session.ts';
import { whatIf } from './routes/what-if.ts';
import { status } from './routes/status.ts';

/**
 * Every route of the HTTP API. A new one is a file in `routes/` and a line here; the OpenAPI
 * document, the checks of access and the answers to unknown paths and methods follow from it.
 */
export const ROUTES: readonly AnyRoute[] = [
  healthz,
  readyz,
  metrics,
  ...session,
  errors,
  openapi,
  status,
  members,
  ...fleet,
  explain,
  events,
  ...recoveryRequests,
  plan,
  undo,
  plans,
  readiness,
  whatIf,
  acknowledge,
  hold,
  holdRelease,
  pauses,
  ...pauseCommands,
  policies,
  policy,
  policiesApply,
  policyPut,
  policyReset,
  drains,
  drain,
  undrain,
  transfer,
  audit,
  keys,
  recoveries,
  leftovers,
  notices,
  ...noticeCommands,
  holds,
  history,
  ...inventory,
  ...enrolments,
  handBack,
  artefact,
  ...dashboard,
];
