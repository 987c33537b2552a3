import * as z from 'zod';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { type AnyRoute, type Asked, type Answer, defineRoute, type RouteContext } from '../route.ts';
import { DASHBOARD_CSP, NOT_BUILT, type SiteFile } from '../site.ts';

const tag = 'Dashboard';
/** The page holds nothing that is anybody's secret. It asks the API, which knows who may ask. */
const base = { method: 'GET', role: 'anybody', tag } as const;

type Request = Pick<Asked<unknown, unknown, unknown>, 'request'>;

function sent({ bytes, gzipped, mediaType }: SiteFile, { request }: Request, caching: string): Answer {
  const zips = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  return {
    status: 200,
    body: zips ? gzipped : bytes,
    headers: {
      'content-type': mediaType,
      'cache-control': caching,
      vary: 'accept-encoding',
      ...(zips ? { 'content-encoding': 'gzip' } : {}),
      'content-security-policy': DASHBOARD_CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
  };
}

/** Every address of the page gives the same page, which shows what its address names. */
function page(asked: Request, { site }: Pick<RouteContext, 'site'>): Answer {
  const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  return site === null ? { status: 404, body: NOT_BUILT, headers: plain } : sent(site.index, asked, 'no-cache');
}

const answers = {
  200: { text: 'The page.', mediaType: 'text/html' },
  404: { text: 'The dashboard is not built, in words.', mediaType: 'text/plain' },
};

const pages = [
  ['/', 'showFleet', 'The dashboard: the fleet'],
  ['/history', 'showHistory', 'The dashboard: ended recoveries'],
  ['/cluster', 'showCluster', 'The dashboard: the coordinators'],
  ['/login', 'showLogin', 'The dashboard: log in'],
] as const;

const memberPage = defineRoute({
  ...{ ...base, path: '/members/:group/:name', operationId: 'showMember' },
  summary: 'The dashboard: a member',
  params: MemberParamsSchema,
  answers,
  handle: page,
});

const ParamsSchema = z.strictObject({ file: z.string().max(200) });

const asset = defineRoute({
  ...{ ...base, path: '/assets/:file', operationId: 'getDashboardFile' },
  summary: 'A file of the dashboard',
  description: 'Its name changes with its content, so it may be kept for ever.',
  params: ParamsSchema,
  answers: { 200: { text: 'The file.', mediaType: '*/*' } },
  refusals: ['PATH_UNKNOWN'],
  handle: (asked, { site }) => {
    const file = site?.assets.get(asked.params.file);
    if (!file) throw new Refusal('PATH_UNKNOWN', 'the dashboard has no such file: load the page anew');
    return sent(file, asked, 'public, max-age=31536000, immutable');
  },
});

export const dashboard: readonly AnyRoute[] = [
  ...pages.map(([path, operationId, summary]) =>
    defineRoute({ ...base, path, operationId, summary, answers, handle: page }),
  ),
  memberPage,
  asset,
];
