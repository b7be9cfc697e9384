// A small stand-in for a node: serves dist/ under the policy of doc.go, and the
// API's JSON made from the golden layouts of the real Bybit theft. It exists so
// that the pages can be looked at and tested without a node; the same tests run
// against a real one (see run.mjs).

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, '..', 'dist');
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

// policy is the constant CSP of doc.go, so that both can never differ.
export async function policy() {
  const source = await readFile(join(here, '..', 'doc.go'), 'utf8');
  const [, expression] = /const CSP = ((?:"[^"]*"[\s+]*)+)/.exec(source) ?? [];
  if (!expression) throw new Error('doc.go has no CSP');
  return [...expression.matchAll(/"([^"]*)"/g)].map((m) => m[1]).join('');
}

// FIXTURE_GRAPH=FOLDER/NAME shows the layouts NAME-hops.json and NAME-time.json
// instead, for looking at other thefts.
const drawn = process.env.FIXTURE_GRAPH;
const golden = async (axis) =>
  JSON.parse(await readFile(join(here, '..', 'graph', 'testdata', `bybit-${axis}.json`), 'utf8'));
const shown = async (axis) => (drawn ? JSON.parse(await readFile(`${drawn}-${axis}.json`, 'utf8')) : golden(axis));

const theftId = 'incident--6f2c9a34-6f7e-5b0a-9d0e-3f1f5d1f5a10';
const eth = (base) => {
  const digits = base.padStart(19, '0');
  const fraction = digits.slice(-18).replace(/0+$/, '');
  const amount = digits.slice(0, -18) + (fraction ? `.${fraction}` : '');
  return { asset: 'eip155:1/slip44:60', symbol: 'ETH', amount, base };
};
const seoul = { id: 'identity--0f6d1c5e-6f0e-4c0e-8f0c-5a1f1c2d3e4f', name: 'National Agency Seoul' };
const exchange = { id: 'identity--7b1e2d3c-4a5b-4c6d-8e9f-0a1b2c3d4e5f', name: 'Exchange Europe' };

export async function data() {
  const graphs = { hops: await golden('hops'), time: await golden('time') };
  const nodes = graphs.hops.nodes;
  const holders = nodes.filter((n) => n.amounts.length > 0);
  const held = holders.reduce((sum, n) => sum + BigInt(n.amounts[0].base), 0n).toString();
  const swapper = nodes.find((n) => n.kind === 'incomplete').id;
  const last = nodes.find((n) => n.hop === 3).id;
  const stolen = eth('401346768858404671846374');
  const theft = {
    id: theftId,
    title: 'Bybit, 21 February 2025',
    stated: '2025-02-21T15:58:00Z',
    author: seoul.id,
    author_name: seoul.name,
    marking: 'TLP:AMBER',
    fires: 3,
    amounts: [stolen],
    holdings_total: [eth(held)],
    where: [
      { place: 'holding', amounts: [eth(held)], accounts: holders.length },
      { place: 'incomplete', amounts: [eth('98047794800000000000000')], accounts: 1 },
    ],
    accounts: 43,
    transfers: 43,
    digest: 'sha256:8f0b7a4c2f6f0d6f4b9c53c3f8a3c9b0e3a1a64f7f2b9c8d1e0f5a6b7c8d9e0f',
    traced: '2025-02-21T16:00:12Z',
  };
  const trace = {
    method: 'fifo',
    accounts: 43,
    transfers: 43,
    holdings: holders.map((n) => ({
      account: n.id,
      ...n.amounts[0],
      origin: n.amounts[0],
      theft: theftId,
      basis: n.id === last ? 'inferred' : 'observed',
      ...(n.id === last ? { rule: 'known-first' } : {}),
      provisional: false,
      since: n.since,
    })),
    exits: [],
    unfollowed: [],
    incomplete: [
      {
        account: swapper,
        spent: eth('98048794800000000000000'),
        known: eth('1000000000000000000'),
        missing: eth('98047794800000000000000'),
      },
    ],
    fees: [],
    adjustments: [],
    collided: [],
    turned: [],
    aside: [],
    ledger: [{ chain: 'eip155:1', from: 21895251, to: 21895739, gaps: 2, digest: 'sha256:00' }],
    labels: [],
    conserved: true,
    digest: theft.digest,
    elapsed_ms: 3.1,
  };
  const whole = {
    theft,
    movements: [
      {
        chain: 'eip155:1',
        tx: '0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c',
        time: '2025-02-21T14:16:11Z',
        block: 21895251,
        from: nodes.find((n) => n.kind === 'source').id,
        to: nodes.find((n) => n.label === 'Bybit Exploiter').id,
        kind: 'native',
        amount: stolen,
      },
    ],
    trace,
    labels: {
      [nodes.find((n) => n.label === 'Bybit Exploiter').id]: [
        {
          label: 'Bybit Exploiter',
          category: 'hack',
          source: 'public record',
          confidence: 60,
          lastmod: '2025-02-22',
          deciding: true,
        },
        { label: 'Fresh wallet', source: 'heuristic', confidence: 10, deciding: false },
      ],
    },
    statements: 46,
    news: [
      {
        statement: 'indicator--1b0a7c1e-53a5-5f0e-9d2b-0c7b6a5d4e3f',
        author: seoul.id,
        author_name: seoul.name,
        marking: 'TLP:AMBER',
        stated: '2025-03-05T08:00:13Z',
        event: 'woke',
        account: swapper,
        from: [holders[0].id],
        senders: 1,
        amount: eth('10000000000000000000000'),
        tx: '0x0359814b48479156b804c8330878214943204c597d88affcb164d04907fa2b25',
        block: 21977777,
        time: '2025-03-05T08:00:11Z',
        idle_days: 11,
        basis: 'observed',
        provisional: true,
      },
    ],
    news_total: 1,
  };
  const partners = [
    {
      ...exchange,
      fingerprint: 'crane-otter-57 maple-river-12',
      since: '2025-02-20T09:00:00Z',
      agreements: [
        {
          id: 'bongsu-agreement--1',
          title: 'Theft warnings',
          state: 'active',
          valid_from: '2025-02-20T09:00:00Z',
          valid_until: '2026-02-20T09:00:00Z',
          highest_tlp: 'TLP:AMBER',
        },
      ],
      shared: 44,
      withheld: 1,
      receipts: { arrived: 44, active: 43, acted: 1, removed: 0, refused: 0 },
      p50_ms: 3.42,
      p99_ms: 11.8,
      last_seen: '2025-02-21T16:00:14Z',
      unanswered: 1,
    },
  ];
  const screen = (value) => {
    const address = value.toLowerCase().replace(/^eip155:1:/, '');
    if (!/^0x[0-9a-f]{40}$/.test(address)) {
      const error = {
        code: 'invalid',
        message: 'no chain has addresses of this form',
        hint: 'write the whole address',
      };
      return { value, read_as: 'invalid', verdict: 'invalid', reasons: [], error };
    }
    const found = trace.holdings.find((h) => h.account.endsWith(address));
    const verdict = found ? (found.basis === 'inferred' ? 'hold' : 'block') : 'clear';
    const reasons = found
      ? [
          {
            statement: 'indicator--2f1d6a2e-9d0e-5c0e-8f0c-5a1f1c2d3e4f',
            author: seoul.id,
            author_name: seoul.name,
            marking: 'TLP:AMBER',
            since: found.since,
            kind: 'exposure',
            verdict,
            theft: theftId,
            place: 'holding',
            account: found.account,
            amount: found,
            origin: found.origin,
            basis: found.basis,
            rule: found.rule,
          },
        ]
      : [];
    return { value, read_as: `eip155:1:${address}`, type: 'account', verdict, reasons };
  };
  return { theft, whole, partners, screen };
}

// serve starts the stand-in on a port that the kernel chooses.
export async function serve({ empty = false } = {}) {
  const csp = await policy();
  const pictures = { hops: await shown('hops'), time: await shown('time') };
  const { theft, whole, partners, screen } = await data();
  const session = {
    organisation: { ...seoul, fingerprint: 'heron-willow-31 stone-lake-84' },
    user: { name: 'analyst', role: 'analyst' },
    csrf: 'fixture',
    version: 'fixture',
  };
  const answers = {
    session: () => session,
    thefts: () => ({ thefts: empty ? [] : [theft] }),
    partners: () => ({ partners: empty ? [] : partners }),
    [`thefts/${theftId}`]: () => whole,
    [`thefts/${theftId}/graph`]: (url) => pictures[url.searchParams.get('axis')] ?? pictures.time,
  };
  const headers = (type) => ({
    'Content-Type': type,
    'Content-Security-Policy': csp,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  });
  const json = (res, status, value, type = 'application/json') => {
    res.writeHead(status, headers(type));
    res.end(JSON.stringify(value));
  };
  const streams = new Set();
  const counts = new Map();
  const api = async (req, res, url) => {
    const path = decodeURIComponent(url.pathname.slice('/api/v1/'.length));
    counts.set(path, (counts.get(path) ?? 0) + 1);
    if (path === 'events') {
      res.writeHead(200, headers('text/event-stream'));
      res.write(': open\n\n');
      streams.add(res);
      res.on('close', () => streams.delete(res));
      return;
    }
    if (path === 'screen' && req.method === 'POST') {
      let body = '';
      for await (const chunk of req) body += chunk;
      json(res, 200, { results: JSON.parse(body).values.map(screen) });
      return;
    }
    if (/^statements\/.*\/receipts$/.test(path)) {
      const at = '2025-02-21T16:00:12.103Z';
      json(res, 200, {
        receipts: [{ partner: exchange.id, partner_name: exchange.name, state: 'active', at, ms: 3.42 }],
      });
      return;
    }
    const answer = answers[path];
    if (answer) json(res, 200, answer(url));
    else {
      const detail = 'there is no theft with this id';
      json(
        res,
        404,
        { title: 'Not Found', status: 404, detail, hint: 'bongsu lists thefts on the first page' },
        'application/problem+json',
      );
    }
  };
  const file = async (res, url) => {
    const name = url.pathname === '/' ? 'index.html' : normalize(url.pathname).replace(/^[/\\]+/, '');
    try {
      const body = await readFile(join(dist, name));
      res.writeHead(200, headers(types[extname(name)] ?? 'application/octet-stream'));
      res.end(body);
    } catch {
      json(res, 404, { title: 'Not Found', status: 404 });
    }
  };
  const server = createServer((req, res) => {
    const url = new URL(req.url, 'http://localhost');
    const done = url.pathname.startsWith('/api/v1/') ? api(req, res, url) : file(res, url);
    done.catch((cause) => json(res, 500, { title: String(cause), status: 500 }));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}/`,
    asked: (path) => counts.get(path) ?? 0, // how often
    emit: (kind, value) => streams.forEach((res) => res.write(`event: ${kind}\ndata: ${JSON.stringify(value)}\n\n`)),
    drop: () => streams.forEach((res) => res.destroy()), // ends the event streams
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serve({ empty: process.argv.includes('--empty') });
  console.log(server.url);
}
