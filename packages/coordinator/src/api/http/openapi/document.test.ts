import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { API_VERSION } from '../server.ts';
import { ROUTES } from '../registered.ts';
import { openApiDocument } from './document.ts';

const ROOT = fileURLToPath(new URL('../../../../../../', import.meta.url));
const PAGE = `${ROOT}docs/openapi.json`;

describe('the description of the API', () => {
  test('is docs/openapi.json (vitest -u writes it)', async () => {
    const text = `${JSON.stringify(openApiDocument(ROUTES, API_VERSION), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(PAGE);
  });

  test('has nothing that a linter objects to', () => {
    const arguments_ = ['lint', PAGE, '--config', `${ROOT}redocly.yaml`, '--format', 'stylish'];
    const lint = spawnSync(process.execPath, [`${ROOT}node_modules/@redocly/cli/bin/cli.js`, ...arguments_], {
      cwd: ROOT,
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' },
      encoding: 'utf8',
    });
    expect(`${lint.stdout}${lint.stderr}`).toContain('Your API description is valid');
    expect(`${lint.stdout}${lint.stderr}`).not.toContain('warning');
    expect(lint.status).toBe(0);
  }, 60_000);
});
