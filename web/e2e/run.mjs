// The browser tests: every page in every language, against a real node or, on
// its own, against the stand-in of fixture.mjs.
//
//   node e2e/run.mjs                                  the stand-in
//   node e2e/run.mjs --signin 'http://127.0.0.1:8420/signin?token=...'
//   BONGSU_URL='http://127.0.0.1:8420/signin?token=...' node e2e/run.mjs
//   ... --out DIR                                     screenshots; ../build/screenshots
//
// Fails on: a console error or warning, a CSP violation, a request to another
// host, a serious axe finding, a text without translation, and on whatever the
// walks below expect and do not find. It uses no network but the node's.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { launch } from './browser.mjs';
import { serve } from './fixture.mjs';
import { expect, Findings, watch } from './watch.mjs';
import * as walks from './walks.mjs';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    signin: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string', default: 'pages,use,live' }, // parts, while working on one
  },
});
const here = fileURLToPath(new URL('.', import.meta.url));
const out = options.out ?? join(here, '..', '..', 'build', 'screenshots');
const languages = ['en', 'ko', 'it', 'fr', 'de'];
const texts = JSON.parse(await readFile(join(here, '..', 'src', 'i18n', 'en.json'), 'utf8'));

// target is what is tested: its address, the cookies of a session, and, for the
// stand-in, a hold on it.
async function target(browser) {
  const signin = options.signin ?? process.env.BONGSU_URL ?? '';
  if (!signin && !options.url) {
    const fixture = await serve();
    const empty = await serve({ empty: true });
    return {
      url: fixture.url,
      state: undefined,
      fixture,
      empty,
      close: () => Promise.all([fixture.close(), empty.close()]),
    };
  }
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(signin || options.url);
  const url = new URL('/', signin || options.url).href;
  expect(
    page.url().startsWith(url) && !page.url().includes('signin'),
    `the sign-in link led to ${page.url()}, not to the pages`,
  );
  const state = await context.storageState();
  await context.close();
  return { url, state, close: async () => {} };
}

async function visit(browser, to, findings, { language, theme, width = 1440, height = 1000, motion = 'reduce' }) {
  const context = await browser.newContext({
    viewport: { width, height },
    storageState: to.state,
    reducedMotion: motion,
    acceptDownloads: true,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await context.addInitScript(
    ([l, t]) => {
      if (location.protocol === 'about:' || localStorage.getItem('bongsu.language')) return;
      localStorage.setItem('bongsu.language', l);
      localStorage.setItem('bongsu.theme', t);
    },
    [language, theme],
  );
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await watch(page, to.url, findings, `${language} ${theme}`);
  return { context, page };
}

async function main() {
  await mkdir(out, { recursive: true });
  expect(
    options.signin !== '' && options.url !== '',
    'an empty address was given; leave it out to test with the stand-in',
  );
  const browser = await chromium.launch(launch);
  const findings = new Findings();
  const to = await target(browser);
  const tour = { to, out, texts, findings };
  try {
    const parts = options.only.split(',');
    // Two at a time: drawing in software keeps a core busy.
    const rounds = languages
      .map((language) => ({ language, theme: 'light' }))
      .concat({ language: 'en', theme: 'dark' });
    const worker = async () => {
      for (let next = rounds.shift(); next; next = rounds.shift()) {
        const { context, page } = await visit(browser, to, findings, next);
        await walks.everyPage(page, { ...tour, ...next });
        await context.close();
      }
    };
    if (parts.includes('pages')) await Promise.all([worker(), worker()]);
    if (parts.includes('use')) {
      const { context, page } = await visit(browser, to, findings, { language: 'en', theme: 'light' });
      await walks.selection(page, tour);
      await walks.keyboard(page, tour);
      await walks.downloads(page, tour);
      await walks.languageSwitch(page, tour);
      await context.close();
      const narrow = await visit(browser, to, findings, { language: 'de', theme: 'dark', width: 420, height: 900 });
      await walks.narrow(narrow.page, tour);
      await narrow.context.close();
    }
    if (to.fixture && parts.includes('live')) {
      const moving = await visit(browser, to, findings, { language: 'en', theme: 'light', motion: 'no-preference' });
      await walks.live(moving.page, tour);
      await moving.context.close();
      const bare = await visit(browser, { ...to, url: to.empty.url }, findings, { language: 'en', theme: 'light' });
      await walks.empty(bare.page, { ...tour, to: { ...to, url: to.empty.url } });
      await bare.context.close();
    }
  } catch (cause) {
    findings.add('walk', cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  }
  await browser.close();
  await to.close();
  findings.print();
  return findings.count;
}

const failed = await main().catch((cause) => {
  console.error(`FAIL ${cause instanceof Error ? cause.message : cause}`);
  return 1;
});
console.log(failed === 0 ? `browser tests: all passed; screenshots in ${out}` : `browser tests: ${failed} findings`);
process.exitCode = failed === 0 ? 0 : 1;
