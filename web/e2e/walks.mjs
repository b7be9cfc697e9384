// The walks through the pages. Each throws on what it expects and does not find.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { axe, expect } from './watch.mjs';

async function go(page, url) {
  await page.goto('about:blank');
  await page.goto(url);
  await page.waitForSelector('main h1, main [role=alert]');
  await page.waitForFunction(() => !document.querySelector('main [role=status]:not(:empty)')); // nothing is loading
}

async function firstTheft(page, url) {
  const answer = await page.evaluate(async () => (await fetch('api/v1/thefts')).json());
  expect(answer.thefts?.length > 0, `${url} lists no theft`);
  return answer.thefts[0].id;
}

async function openTheft(page, to) {
  await go(page, to.url);
  const id = await firstTheft(page, to.url);
  await go(page, `${to.url}#/theft/${encodeURIComponent(id)}`);
  await page.waitForSelector('.stage[data-ready="true"]');
  await page.waitForFunction(() => document.querySelectorAll('.axis line').length > 1);
  return id;
}

// holding is the address that holds most, by a trace of this node or by
// findings that were shared with it.
async function holding(page) {
  return page.evaluate(async () => {
    const { thefts } = await (await fetch('api/v1/thefts')).json();
    const { nodes } = await (await fetch(`api/v1/thefts/${encodeURIComponent(thefts[0].id)}/graph?axis=hops`)).json();
    const base = (node) => BigInt(node.amounts[0]?.base ?? 0);
    const largest = nodes.filter((n) => n.kind === 'holding').reduce((a, b) => (base(b) > base(a) ? b : a));
    return largest.id.split(':').at(-1);
  });
}

// untranslated finds keys of the texts that show as they are.
async function untranslated(page, texts, findings, name) {
  const seen = await page.evaluate(() => document.body.innerText);
  const words = new Set(seen.split(/\s+/));
  for (const key of Object.keys(texts)) {
    if (key.includes('.') && words.has(key)) findings.add(name, `the key ${key} shows instead of its text`);
  }
  if (/\{\w+\}/.test(seen))
    findings.add(name, `a text has an unfilled place: ${/.{0,30}\{\w+\}.{0,30}/.exec(seen)?.[0]}`);
  if (/\b(undefined|NaN|\[object Object\])\b/.test(seen)) {
    findings.add(name, `a value is not written: ${/.{0,40}(undefined|NaN|\[object).{0,20}/.exec(seen)?.[0]}`);
  }
}

export async function everyPage(page, { to, out, texts, findings, language, theme }) {
  const look = async (name) => {
    const full = `${name}-${language}-${theme}`;
    const lang = await page.getAttribute('html', 'lang');
    if (lang !== language) findings.add(full, `the page says it is in ${lang}`);
    await untranslated(page, texts, findings, full);
    await axe(page, findings, full);
    await page.screenshot({ path: join(out, `${full}.png`), fullPage: name !== 'theft-hops' });
  };
  await go(page, to.url);
  await page.waitForSelector('article');
  await look('first');
  const value = await holding(page);
  await openTheft(page, to);
  await look('theft-hops');
  await page.check('input[value=time]', { force: true });
  await page.waitForFunction(() => [...document.querySelectorAll('.axis text')].some((e) => e.textContent === 'UTC'));
  await page.click('[role=tabpanel] tbody tr:first-child button');
  await page.waitForSelector('tr.chosen');
  await page.waitForSelector('aside .reasons li');
  await look('theft-time');
  await page.click('#tab-accounts');
  await page.click('#tab-moves');
  await page.click('[role=tabpanel] tbody tr:first-child button');
  await look('theft-movements');
  await page.click('#tab-news');
  await page.waitForSelector('#panel-news');
  await look('theft-news');
  await go(page, `${to.url}#/partners`);
  await look('partners');
  await go(page, `${to.url}#/screen`);
  await page.fill('textarea', `${value}\n0x00000000000000000000000000000000000000aa, not-a-value`);
  await page.click('form button');
  await page.waitForSelector('.verdict.block');
  await page.waitForSelector('.verdict.clear');
  await page.waitForSelector('.verdict.invalid');
  await look('screen');
  page.expected.add(404);
  await go(page, `${to.url}#/theft/incident--00000000-0000-4000-8000-000000000000`);
  await page.waitForSelector('main [role=alert]');
  await look('missing');
  page.expected.delete(404);
}

// selection: what is selected in a table is bright in the picture and described
// beside it; a click in the picture selects the row.
export async function selection(page, { to }) {
  await openTheft(page, to);
  await page.click('#tab-accounts');
  const row = page.locator('[role=tabpanel] tbody tr').nth(1);
  await row.locator('button').first().click();
  expect(
    (await row.locator('button[aria-pressed=true]').count()) === 1,
    'a chosen row does not say that it is pressed',
  );
  const whole = await page.locator('aside .whole').first().innerText();
  expect(/0x[0-9a-f]{40}/i.test(whole) || whole.length > 20, `the details do not give the whole address: ${whole}`);

  // The account of hop 1 stands alone on its tick: walk down the tick until the
  // pointer meets it, then click. (Two quick clicks would be a double click.)
  await page.locator('.stage').evaluate((e) => e.scrollIntoView({ block: 'center' }));
  const stage = await page.locator('.stage').boundingBox();
  const x = Number(await page.locator('.axis line').nth(1).getAttribute('x1'));
  await page.mouse.click(stage.x + 5, stage.y + 5);
  const chosen = page.locator('tr.chosen');
  await chosen.waitFor({ state: 'detached' });
  for (let y = 20; y < stage.height - 30; y += 4) {
    await page.mouse.move(stage.x + x, stage.y + y);
    if (await page.locator('.stage').evaluate((e) => e.style.cursor === 'pointer')) break;
  }
  await page.mouse.down();
  await page.mouse.up();
  await chosen.waitFor();
  const inside = await chosen.evaluate((tr) => {
    const frame = tr.closest('.scroll').getBoundingClientRect();
    const box = tr.getBoundingClientRect();
    return box.bottom > frame.top && box.top < frame.bottom;
  });
  expect(inside, 'the chosen row was not scrolled into its table');
}

// keyboard: everything on the way can be reached and shows its focus.
export async function keyboard(page, { to }) {
  await openTheft(page, to);
  await page.keyboard.press('Tab');
  expect(
    await page.evaluate(() => document.activeElement?.classList.contains('skip')),
    'the first stop is not the skip link',
  );
  await page.keyboard.press('Enter');
  expect(
    await page.evaluate(() => document.activeElement?.id === 'content'),
    'the skip link does not lead to the content',
  );
  const stops = [];
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e.matches('input[type=radio]') ? e.closest('label') : e);
      return {
        tag: e.tagName,
        id: e.id,
        row: !!e.closest('tbody'),
        outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
      };
    });
    stops.push(stop);
    expect(stop.outline, `the focus on ${stop.tag}#${stop.id} cannot be seen`);
    if (stop.row) break;
  }
  expect(stops.at(-1).row, 'the rows of the table cannot be reached by Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('tr.chosen');
  await page.focus('#tab-where');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('#tab-accounts[aria-selected=true]');
}

export async function downloads(page, { to }) {
  await openTheft(page, to);
  for (const [tab, header] of [
    ['where', 'state,account'],
    ['accounts', 'account,accounts,kind'],
    ['moves', 'from,to,amounts'],
  ]) {
    await page.click(`#tab-${tab}`);
    const rows = await page.locator('[role=tabpanel] tbody tr').count();
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[role=tabpanel] .above button')]);
    const text = await readFile(await download.path(), 'utf8');
    expect(text.startsWith(header), `${download.suggestedFilename()} begins with ${text.slice(0, 40)}`);
    expect(
      text.trim().split('\r\n').length === rows + 1,
      `${download.suggestedFilename()} has not one line for each of ${rows} rows`,
    );
  }
}

export async function languageSwitch(page, { to }) {
  await go(page, to.url);
  await page.selectOption('header select >> nth=0', 'ko');
  await page.waitForSelector('html[lang=ko]');
  const korean = await page.innerText('h1');
  await page.reload();
  await page.waitForSelector('h1');
  expect((await page.innerText('h1')) === korean && /[가-힣]/.test(korean), 'the language is not kept');
  await page.selectOption('header select >> nth=1', 'dark');
  await page.waitForSelector('html[data-theme=dark]');
}

// narrow: nothing runs out of a small window sideways.
export async function narrow(page, { to, out, findings }) {
  const id = await openTheft(page, to);
  for (const [name, route] of [
    ['first', '#/'],
    ['theft', `#/theft/${encodeURIComponent(id)}`],
    ['screen', '#/screen'],
    ['partners', '#/partners'],
  ]) {
    await go(page, to.url + route);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) findings.add(`narrow ${name}`, `${over} pixels run out of the window`);
    await page.screenshot({ path: join(out, `narrow-${name}.png`), fullPage: true });
  }
}

// live: an event reloads what it is about; a lost stream comes back.
export async function live(page, { to }) {
  await go(page, to.url);
  await page.waitForSelector('.live.live');
  const before = to.fixture.asked('thefts');
  to.fixture.emit('theft', {});
  await until(() => to.fixture.asked('thefts') > before, 'an event did not reload the thefts');
  page.expected.add('network');
  to.fixture.drop();
  await page.waitForSelector('.live.lost');
  const again = to.fixture.asked('thefts');
  await page.waitForSelector('.live.live');
  await until(() => to.fixture.asked('thefts') > again, 'coming back did not ask again for what was missed');
}

async function until(truth, message) {
  const end = Date.now() + 10_000;
  while (!truth()) {
    expect(Date.now() < end, message);
    await new Promise((next) => setTimeout(next, 25));
  }
}

export async function empty(page, { to, out, texts, findings }) {
  await go(page, to.url);
  await page.waitForSelector('code');
  await untranslated(page, texts, findings, 'empty');
  await axe(page, findings, 'empty');
  await page.screenshot({ path: join(out, 'empty-en-light.png'), fullPage: true });
}
