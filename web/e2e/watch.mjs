// What must never happen on any page, watched from outside it.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export class Findings {
  #all = new Map();

  add(where, what) {
    const key = `${where}: ${what}`;
    this.#all.set(key, (this.#all.get(key) ?? 0) + 1);
  }

  get count() {
    return this.#all.size;
  }

  print() {
    for (const [what, times] of this.#all) console.error(`FAIL ${what}${times > 1 ? ` (${times} times)` : ''}`);
  }
}

export function expect(truth, message) {
  if (!truth) throw new Error(message);
}

// watch notes console errors, CSP violations, failed scripts and requests that
// leave the node. expected lists statuses that a walk provokes on purpose.
export async function watch(page, url, findings, name) {
  const origin = new URL(url).origin;
  page.expected = new Set();
  await page.addInitScript(() => {
    window.addEventListener('securitypolicyviolation', (e) => {
      console.error(`CSP violation: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`);
    });
  });
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const text = message.text();
    const status = /status of (\d{3})/.exec(text)?.[1];
    if (status && page.expected.has(Number(status))) return;
    if (page.expected.has('network') && /net::|Failed to load resource/.test(text)) return;
    if (/GPU stall due to ReadPixels|GL Driver Message/.test(text)) return; // the software renderer speaking of itself
    findings.add(name, `console ${message.type()}: ${text}`);
  });
  page.on('pageerror', (error) => findings.add(name, `script error: ${error.message}`));
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (['data:', 'blob:', 'about:'].includes(to.protocol)) return;
    if (to.origin !== origin) findings.add(name, `request to another host: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (!response.request().isNavigationRequest() || response.status() >= 300) return;
    const csp = response.headers()['content-security-policy'] ?? '';
    for (const part of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"]) {
      if (!csp.includes(part)) findings.add(name, `the page's policy lacks ${part}: ${csp}`);
    }
    if (/unsafe-/.test(csp)) findings.add(name, `the page's policy allows something unsafe: ${csp}`);
  });
}

// axe runs the accessibility rules of WCAG 2.2 A and AA; serious findings fail.
export async function axe(page, findings, name) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
    }),
  );
  for (const v of violations) {
    if (v.impact !== 'serious' && v.impact !== 'critical') continue;
    const nodes = v.nodes
      .slice(0, 3)
      .map((node) => `${node.html.slice(0, 160)} (${node.failureSummary?.split('\n')[1]?.trim()})`);
    findings.add(name, `axe ${v.id}: ${v.help}: ${nodes.join(' | ')}`);
  }
}
