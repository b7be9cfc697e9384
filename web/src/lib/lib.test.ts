import { describe, expect, it } from 'vitest';
import { address, chainOf, differs, shorten } from './account';
import { decimal, decimalsOf, glance, groupDigits, permille, total, written } from './amount';
import { read, type Case, type Money, type Partner, type Theft, type Trace } from './api';
import { balances, rowsOf } from './book';
import { cell, csv } from './csv';
import { stepsFor } from './steps';
import { parseValues } from './values';

const eth = (base: string): Money => ({
  asset: 'eip155:1/slip44:60',
  symbol: 'ETH',
  base,
  amount: decimal(BigInt(base), 18),
});

describe('amounts', () => {
  it('are grouped as the language does, with every digit', () => {
    const text = '401346.768858404671846374';
    expect(groupDigits(text, 'en')).toBe('401,346.768858404671846374');
    expect(groupDigits(text, 'de')).toBe('401.346,768858404671846374');
    expect(groupDigits(text, 'it')).toBe('401.346,768858404671846374');
    expect(groupDigits(text, 'ko')).toBe('401,346.768858404671846374');
    expect(groupDigits(text, 'fr').replaceAll(/\s/g, ' ')).toBe('401 346,768858404671846374');
    expect(groupDigits('1234', 'it')).toBe('1.234');
  });

  it('survive beyond what a float holds', () => {
    const huge = '115792089237316195423570985008687907853269984665640564039457584007913129639935';
    expect(groupDigits(huge, 'en').replaceAll(',', '')).toBe(huge);
    expect(groupDigits('9007199254740993.000000000000000001', 'en')).toBe('9,007,199,254,740,993.000000000000000001');
  });

  it('split into what the eye needs and the rest, losing nothing', () => {
    for (const text of ['1345.768858404671846374', '0.000000000000000001', '10000', '0', '0.1', '7.00001']) {
      const { head, tail } = written(text, 'en');
      expect((head + tail).replaceAll(',', '')).toBe(text);
    }
    expect(written('0.0000123456', 'en').head).toBe('0.00001234');
  });

  it('say when a glance leaves something out', () => {
    expect(glance('1345.768858404671846374', 'en')).toBe('1,345.76…');
    expect(glance('10000', 'en')).toBe('10,000');
    expect(glance('1.5', 'de')).toBe('1,5');
    expect(glance('0.100', 'en')).toBe('0.10');
  });

  it('know their decimals from both forms', () => {
    expect(decimalsOf(eth('1000000000000000000'))).toBe(18);
    expect(decimalsOf(eth('10000000000000000000000'))).toBe(18);
    expect(decimalsOf(eth('1'))).toBe(18);
    expect(decimalsOf({ asset: 'x', amount: '12', base: '12' })).toBe(0);
    expect(decimalsOf({ asset: 'x', amount: '0.5', base: '500000' })).toBe(6);
  });

  it('add up exactly', () => {
    expect(total([eth('1'), eth('999999999999999999'), { asset: 'b', amount: '3', base: '3' }])).toEqual([
      { asset: 'eip155:1/slip44:60', symbol: 'ETH', base: '1000000000000000000', amount: '1' },
      { asset: 'b', symbol: '', base: '3', amount: '3' },
    ]);
    expect(decimal(-15n, 1)).toBe('-1.5');
    expect(permille(1n, 3n)).toBe(333);
    expect(permille(1n, 0n)).toBe(0);
  });
});

describe('accounts', () => {
  const account = 'eip155:1:0x36ed3c0213565530c35115d93a80f9c04d94e4cb';

  it('are shortened in the middle only', () => {
    expect(address(account)).toBe('0x36ed3c0213565530c35115d93a80f9c04d94e4cb');
    expect(chainOf(account)).toBe('eip155:1');
    expect(shorten(account)).toBe('0x36ed3c…94e4cb');
    expect(shorten('short')).toBe('short');
    expect(shorten('bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', 4)).toBe('bc1q…5mdq');
  });

  it('show where look-alikes part', () => {
    expect(differs('0xab12cd', '0xab34cd')).toEqual([
      { text: '0xab', same: true },
      { text: '12', same: false },
      { text: 'cd', same: true },
    ]);
    expect(differs('abc', 'ab').at(-1)).toEqual({ text: 'c', same: false });
  });
});

describe('CSV', () => {
  it('quotes what needs it and never becomes a formula', () => {
    expect(cell('a"b,c')).toBe('"a""b,c"');
    expect(cell('=1+1')).toBe("'=1+1");
    expect(cell('@x')).toBe("'@x");
    expect(cell('+a,b')).toBe('"\'+a,b"');
    expect(csv(['a', 'b'], [['1', 'two\nlines']])).toBe('a,b\r\n1,"two\nlines"\r\n');
  });
});

describe('what partners wrote', () => {
  it('shows what it hides', () => {
    const text = JSON.stringify({
      title: 'safe\u202Egnp.exe',
      name: 'a\u0000b',
      list: ['\u2066x\u2069'],
      n: 1,
      ok: 'é 한\n두',
    });
    expect(read(text)).toEqual({
      title: 'safe\ufffdgnp.exe',
      name: 'a\ufffdb',
      list: ['\ufffdx\ufffd'],
      n: 1,
      ok: 'é 한\n두',
    });
  });
});

describe('values', () => {
  it('are taken apart at spaces, commas, semicolons and line ends, once each', () => {
    expect(parseValues(' a, b;c\n\tb\r\nd ')).toEqual(['a', 'b', 'c', 'd']);
    expect(parseValues('  \n')).toEqual([]);
  });
});

const theft = (more: Partial<Theft> = {}): Theft => ({
  id: 'incident--1',
  title: 'T',
  stated: '2025-02-21T15:00:00Z',
  author: 'identity--1',
  marking: 'TLP:AMBER',
  fires: 3,
  amounts: [eth('100')],
  holdings_total: [],
  where: [],
  accounts: 0,
  transfers: 0,
  ...more,
});

const trace = (more: Partial<Trace> = {}): Trace => ({
  method: 'fifo',
  accounts: 2,
  transfers: 2,
  holdings: [],
  exits: [],
  unfollowed: [],
  incomplete: [],
  fees: [],
  adjustments: [],
  collided: [],
  turned: [],
  ledger: [],
  labels: [],
  conserved: true,
  digest: 'sha256:0',
  elapsed_ms: 1,
  ...more,
});

const placed = (account: string, base: string) => ({
  ...eth(base),
  account,
  origin: eth(base),
  theft: 'incident--1',
  basis: 'observed' as const,
  provisional: false,
  since: '2025-02-21T15:00:00Z',
});

describe('where the money is', () => {
  const full = trace({
    holdings: [placed('eip155:1:0xa', '20'), placed('eip155:1:0xb', '30')],
    exits: [
      { ...placed('eip155:1:0xc', '40'), label: 'X', category: 'mixing_service', source: 's', first: 'f', last: 'l' },
    ],
    fees: [{ ...eth('10'), origin: eth('10'), theft: 'incident--1' }],
    incomplete: [{ account: 'eip155:1:0xd', spent: eth('9'), known: eth('1'), missing: eth('8') }],
  });

  it('lists exits first, then the most money first', () => {
    const rows = rowsOf(full);
    expect(rows.map((r) => [r.state, r.money.base])).toEqual([
      ['exit', '40'],
      ['holding', '30'],
      ['holding', '20'],
      ['incomplete', '8'],
      ['fees', '10'],
    ]);
    expect(rows[0]?.kind).toBe('mixer');
    expect(new Set(rows.map((r) => r.key)).size).toBe(rows.length);
  });

  it('adds up to the theft, what is missing aside', () => {
    const of = (c: Trace): Pick<Case, 'theft' | 'trace'> => ({ theft: theft(), trace: c });
    const [line] = balances(of(full));
    expect(line?.holds).toBe(true);
    expect(line?.parts.map((p) => [p.state, p.money.base])).toEqual([
      ['exit', '40'],
      ['holding', '50'],
      ['fees', '10'],
    ]);
    expect(balances(of(trace({ holdings: [placed('eip155:1:0xa', '99')] })))[0]?.holds).toBe(false);
    expect(balances({ theft: theft(), trace: null })).toEqual([]);
  });
});

describe('what to do next', () => {
  const partner = (unanswered: number, state: 'active' | 'ended' = 'active'): Partner => ({
    id: 'identity--2',
    name: 'P',
    fingerprint: '',
    since: '',
    agreements: [{ id: 'a', title: '', state, valid_from: '', highest_tlp: 'TLP:AMBER' }],
    shared: 3,
    withheld: 0,
    receipts: { arrived: 3, active: 3, acted: 0, removed: 0, refused: 0 },
    p50_ms: 1,
    p99_ms: 2,
    unanswered,
  });
  const where = [
    { place: 'holding' as const, amounts: [], accounts: 4 },
    { place: 'exit' as const, amounts: [], accounts: 2 },
    { place: 'incomplete' as const, amounts: [], accounts: 1 },
  ];

  it('begins with tracing', () => {
    expect(stepsFor(theft(), [])).toEqual([{ kind: 'trace' }]);
  });

  it('puts services before partners before gaps before watching', () => {
    const steps = stepsFor(theft({ where, traced: '2025-02-21T16:00:00Z' }), [partner(2), partner(0)]);
    expect(steps).toEqual([
      { kind: 'exit', accounts: 2 },
      { kind: 'unanswered', statements: 2, partners: ['P'] },
      { kind: 'incomplete', accounts: 1 },
      { kind: 'watch', accounts: 4 },
    ]);
  });

  it('asks for an agreement where none is in force, and says nothing before it knows', () => {
    expect(stepsFor(theft({ where }), [partner(0, 'ended')]).map((s) => s.kind)).toContain('invite');
    expect(stepsFor(theft({ where }), undefined).map((s) => s.kind)).not.toContain('invite');
  });
});
