import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ROUTES } from './registered.ts';

const files = readdirSync(new URL('routes/', import.meta.url)).filter((name) => !/\.(?:test|fixtures)\.ts$/.test(name));

describe('the registry of routes', () => {
  test('has every file in routes/', async () => {
    for (const file of files) {
      const exported: Record<string, unknown> = await import(new URL(`routes/${file}`, import.meta.url).href);
      const routes = Object.values(exported).flat();
      expect(routes.filter((route) => (ROUTES as readonly unknown[]).includes(route)).length, file).toBeGreaterThan(0);
    }
  });

  test('names each operation, and each method of a path, once', () => {
    const operations = ROUTES.map(({ operationId }) => operationId);
    expect(new Set(operations).size).toBe(operations.length);
    const places = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
  });

  test('describes every parameter that a path has', () => {
    for (const { path, params } of ROUTES) {
      const names = [...path.matchAll(/:([a-zA-Z]+)/g)].map(([, name]) => String(name));
      const shape = params === undefined ? {} : (params as unknown as { shape: object }).shape;
      expect(new Set(Object.keys(shape)), path).toEqual(new Set(names));
    }
  });

  test('lets anybody ask for health and readiness only, and log in', () => {
    const open = ROUTES.filter(({ role }) => role === 'anybody').map(({ method, path }) => `${method} ${path}`);
    const page = ['/', '/history', '/cluster', '/login', '/members/:group/:name', '/assets/:file'];
    expect(open).toEqual([
      ...['GET /healthz', 'GET /readyz', 'POST /v1/session'],
      // An agent that has no key yet: what it sends has to prove what it can.
      'POST /v1/enrolments',
      // What anybody may download from the project as well.
      'GET /artefacts/:file',
      // The dashboard's files: they say nothing of the cluster.
      ...page.map((path) => `GET ${path}`),
    ]);
  });

  test('changes nothing without the role operate, but for the own session and for a key by identity', () => {
    const changing = ROUTES.filter(({ method, role }) => method !== 'GET' && role !== 'operate');
    expect(new Set(changing.map(({ path }) => path))).toEqual(new Set(['/v1/session', '/v1/enrolments']));
  });
});
