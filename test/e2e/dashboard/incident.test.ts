import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accessibilityFaults,
  type Complaints,
  complaintsOf,
  DESKTOP,
  holds,
  launchBrowser,
  missingBrowser,
  newContext,
} from './browser.ts';
import { until } from '@understudy/shared/node';
import { ALICE, trailRecord } from '../../scenarios/coordinator/trail-record.ts';
import { openPictures, TAKES_PICTURES } from './pictures.ts';
import { type RealCluster, startRealCluster } from './real-cluster.ts';
import { ensureDashboard } from './site.ts';

/**
 * Somebody watches a failure in a browser, and acts: real coordinators, agents, etcd and Chromium.
 */

const missing = missingBrowser();
if (missing) console.error(`understudy: the dashboard's tests are skipped: ${missing}`);

const DIES = 'orders-db/primary';
const ALL_ALIVE = '.headline p >> text=All 6 members are alive';

let browser: Browser;
let real: RealCluster;
let context: BrowserContext;
let page: Page;
let complaints: Complaints;
/** The instance that failed first, and when. */
let failed: { readonly instanceId: string; readonly atWallMs: number };

const tile = (member: string) => `.tile[data-member="${member}"]`;

/** Notes every look that a tile has from now on. */
const noteLooks = (member: string): Promise<void> =>
  page.evaluate(`{
    window.looks = [];
    const note = () => {
      const tile = document.querySelector('${tile(member)}');
      const look = tile && tile.className.replace('tile ', '');
      if (look && window.looks.at(-1) !== look) window.looks.push(look);
    };
    note();
    new MutationObserver(note).observe(document.querySelector('#app'), { subtree: true, childList: true, attributes: true });
  }`);

const instanceOf = async (member: string): Promise<string> =>
  (await page.textContent(`${tile(member)} code`))?.trim() ?? '';

async function crash(member: string): Promise<void> {
  await real.cluster.admin.crash(await instanceOf(member));
}

beforeAll(async () => {
  if (missing) return;
  await ensureDashboard();
  [real, browser] = await Promise.all([startRealCluster(), launchBrowser()]);
  context = await newContext(browser, DESKTOP, false);
  page = await context.newPage();
  complaints = complaintsOf(page);
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await real?.close();
}, 60_000);

describe.skipIf(missing)('an incident, in a browser', () => {
  it('begins with everybody alive, and with what each coordinator hears of each member', async () => {
    await page.goto(real.cluster.urls[0] ?? '');
    await page.waitForSelector(ALL_ALIVE, { timeout: 30_000 });
    expect(await page.locator('.tile').count()).toBe(6);
    await holds(
      page,
      `[...document.querySelectorAll('.age')].length === 18 && [...document.querySelectorAll('.age')].every((age) => / s$/.test(age.textContent))`,
      20_000,
    );
    expect(await page.textContent('.facts-line')).toContain('3 of 3 coordinators answer');
    // Everybody may read here, and only operators may act.
    expect(await page.locator('[data-act]').count()).toBe(0);
  });

  it('lets an operator in with a token', async () => {
    await page.click('text=Log in');
    await page.fill('input[name=token]', real.cluster.operatorToken);
    await page.click('button[type=submit]');
    await page.waitForSelector('.who >> text=may operate');
    expect(await page.locator('[data-act]').count()).toBeGreaterThan(2);
  });

  it('shows a failure from the first doubt to the replacement', async () => {
    const before = await instanceOf(DIES);
    await noteLooks(DIES);
    if (!TAKES_PICTURES) await real.deny(['sns:Publish']);
    failed = { instanceId: before, atWallMs: new Date().getTime() };
    await crash(DIES);
    await page.waitForSelector(`.recovery >> text=${DIES}`, { timeout: 40_000 });
    await page.waitForSelector('.bar-row.started', { timeout: 20_000 });
    expect(await page.textContent('.prediction')).toContain('End not known: no earlier recovery to go by');
    await page.waitForSelector(`${ALL_ALIVE}`, { timeout: 90_000 });
    await holds(page, `document.querySelectorAll('.recovery').length === 0`, 60_000);
    expect(await instanceOf(DIES)).not.toBe(before);
    const looks = await page.evaluate<string[]>('window.looks');
    expect(looks[0]).toBe('alive');
    expect(looks.at(-1)).toBe('alive');
    expect(looks).toEqual(expect.arrayContaining(['suspect', 'recovering']));
    expect(looks.indexOf('suspect')).toBeLessThan(looks.indexOf('recovering'));
  }, 180_000);

  it('keeps it in the history, with its steps', async () => {
    await page.click('nav >> text=History');
    await page.waitForSelector('.past');
    await page.click('.past summary');
    const steps = await page.locator('.past .bar-step').allTextContents();
    for (const step of ['fence', 'capture', 'launch-1', 'verify-1', 'activate']) expect(steps).toContain(step);
    expect(await page.textContent('.past .facts')).toContain('seen stopped');
  });

  it('tells there who stopped the instance, once CloudTrail has told it, as a claim', async () => {
    const { instanceId, atWallMs } = failed;
    await real.tell(trailRecord(instanceId, atWallMs, { userIdentity: { arn: `${ALICE}<b>` } }));
    await until('the history has it', async () => (await real.cluster.client.history(DIES, 1))[0]?.deeds !== undefined);
    await page.reload();
    await page.click('.past summary');
    const facts = (await page.textContent('.past .facts')) ?? '';
    expect(facts).toContain(`TerminateInstances of ${instanceId} by ${ALICE}<b>`);
    expect(facts).toContain('explains, proves nothing');
  });

  it('explains a member, and says who leads', async () => {
    await page.goto(`${real.cluster.urls[0] ?? ''}/members/${DIES}`);
    await page.waitForSelector('h1 >> text=alive');
    expect(await page.textContent('.decision')).not.toBe('');
    await page.waitForSelector('.table-scroll[aria-label=Evidence] tbody tr');
    await page.waitForSelector('.table-scroll[aria-label=Gates] tbody tr');
    await page.waitForSelector('.phi-chart canvas');
    expect(await page.locator('.ears li').count()).toBe(3);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.click('nav >> text=Cluster');
    await page.waitForSelector('table >> text=leads');
    expect(await page.locator('.table-scroll[aria-label=Coordinators] tbody tr').count()).toBe(3);
    await page.waitForSelector('.table-scroll[aria-label="Readiness of members"] tbody tr');
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('predicts the next one from the one before, and looks as in the documentation', async () => {
    await page.click('nav >> text=Fleet');
    await page.waitForSelector(tile(DIES));
    const takePictures = await openPictures(browser, context, real.cluster.urls[0] ?? '', DIES);
    await crash(DIES);
    await page.waitForSelector('.bar-row.started >> nth=0', { timeout: 60_000 });
    expect(await page.textContent('.prediction')).toMatch(/median of 1 earlier recovery of orders-db\/primary/);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.waitForSelector('.bar-row >> text=launch', { timeout: 60_000 });
    await takePictures();
    await page.waitForSelector(ALL_ALIVE, { timeout: 90_000 });
  }, 180_000);

  it.skipIf(TAKES_PICTURES)(
    'says which topic takes no notices, why and what to do',
    async () => {
      await page.click('nav >> text=Cluster');
      const problem = '.attention.problem:has-text("TOPIC_FAILING")';
      // A minute after the first refusal, which was before two recoveries.
      await page.waitForSelector(problem, { timeout: 90_000 });
      const text = (await page.textContent(problem)) ?? '';
      expect(text).toContain('pager takes nothing for');
      expect(text).toContain('CLOUD_DENIED');
      expect(await page.textContent(`${problem} .remedy`)).not.toBe('');
      expect(await accessibilityFaults(page)).toEqual([]);
      await real.deny([]);
      await page.click('nav >> text=Fleet');
    },
    120_000,
  );

  it('pauses a group with a reason, shows it everywhere, and resumes exactly that pause', async () => {
    await page.click('.group:has-text("ci") >> text=Pause group');
    await page.fill('dialog input[name=reason]', 'kernel <b>upgrade</b>');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog .outcome.done');
    await page.click('dialog >> text=Close');
    await page.waitForSelector('.attention.pause >> text=kernel <b>upgrade</b>', { timeout: 10_000 });
    await page.waitForSelector('.facts-line >> text=1 pause in force');
    await page.waitForSelector(`${tile('ci/broker')} >> text=paused`);
    await page.click('.attention.pause >> text=Resume');
    await page.waitForSelector('dialog .shown >> text=Paused by operator');
    await page.fill('dialog input[name=reason]', 'it is done');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog .outcome.done');
    await page.click('dialog >> text=Close');
    await page.waitForSelector('.facts-line >> text=nothing paused', { timeout: 10_000 });
  });

  it('refuses to replace a member that is alive, in words, and replaces nothing', async () => {
    const before = await instanceOf('ci/broker');
    await page.click(tile('ci/broker'));
    await page.click('.acts >> text=Replace');
    await page.waitForSelector('dialog .shown li');
    await page.fill('dialog input[name=reason]', 'because');
    await page.fill('dialog input[name=typed]', 'ci/broker');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog .outcome.refused');
    expect(await page.textContent('dialog .outcome')).toContain('ci/broker is not known to be dead');
    await page.click('dialog >> text=Cancel');
    await page.click('nav >> text=Fleet');
    await page.waitForSelector(tile('ci/broker'));
    expect(await instanceOf('ci/broker')).toBe(before);
  });

  it('says when what it shows is old, and goes on at another coordinator, logged in', async () => {
    const [first = '', second = ''] = real.cluster.urls;
    expect(complaints.errors).toEqual([]);
    real.cluster.group.get(real.cluster.coordinatorIds[0] ?? '').signal('SIGKILL');
    await page.waitForSelector('.app.old .banner.gone', { timeout: 20_000 });
    expect(await page.textContent('.banner')).toContain('does not answer');
    await page.click('.banner a >> nth=0');
    await page.waitForURL((url) => !url.href.startsWith(first));
    await page.waitForSelector('.who >> text=may operate', { timeout: 20_000 });
    await page.waitForSelector('.tile');
    expect(second).not.toBe('');
    await page.waitForSelector('.facts-line >> text=etcd is fresh');
    expect(await page.locator('.app.old').count()).toBe(0);
    expect(complaints.errors).toEqual([]);
  }, 60_000);
});
