// One screenshot, for looking at the pages while working on them:
//   node e2e/shot.mjs OUT.png [#/route] [language] [light|dark] [WIDTHxHEIGHT] [--empty] [--url URL]
import { chromium } from 'playwright-core';
import { launch } from './browser.mjs';
import { serve } from './fixture.mjs';

const [out = 'shot.png', route = '#/', language = 'en', theme = 'light', size = '1440x900'] = process.argv
  .slice(2)
  .filter((a) => !a.startsWith('--'));
const [width, height] = size.split('x').map(Number);
const server = await serve({ empty: process.argv.includes('--empty') });
const browser = await chromium.launch(launch);
const page = await browser.newPage({ viewport: { width, height } });
page.on('console', (m) => console.log(m.type(), m.text()));
page.on('pageerror', (e) => console.log('error', e));
await page.addInitScript(
  ([l, t]) => {
    localStorage.setItem('bongsu.language', l);
    localStorage.setItem('bongsu.theme', t);
  },
  [language, theme],
);
let at = route;
if (route === '#/theft') {
  const { thefts } = await (await fetch(`${server.url}api/v1/thefts`)).json();
  at = `#/theft/${thefts[0].id}`;
}
await page.goto(server.url + at);
if (route === '#/theft') await page.waitForSelector('[data-ready="true"]');
await page.waitForTimeout(800);
const click = process.env.CLICK;
if (click) {
  for (const c of click.split('||')) await page.click(c);
  await page.waitForTimeout(800);
}
await page.screenshot({ path: out, fullPage: process.env.FULL === '1' });
await browser.close();
await server.close();
