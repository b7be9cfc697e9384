// Where the money of a theft is now, as rows, and whether they add up.

import { decimal, decimalsOf, sums } from './amount';
import type { Basis, Case, GraphData, Kind, Money, Trace } from './api';

export type State = 'holding' | 'exit' | 'unfollowed' | 'incomplete' | 'fees' | 'adjustments' | 'collided';

export interface Row {
  key: string;
  state: State;
  kind: Kind;
  account: string; // empty for fees and the like
  label: string;
  labelSource: string;
  money: Money;
  origin?: Money; // the part of the theft it stands for
  basis?: Basis;
  rule?: string;
  reason?: string;
  provisional: boolean;
  since: string;
}

export interface Balance {
  asset: string;
  symbol: string;
  stolen: Money;
  parts: { state: State; money: Money }[];
  holds: boolean;
}

const states: State[] = ['exit', 'holding', 'unfollowed', 'incomplete', 'fees', 'adjustments', 'collided'];

const compare = <T extends bigint | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

export const kindOfExit = (category: string): Kind =>
  category === 'mixing_service' ? 'mixer' : category === 'bridge' ? 'bridge' : 'exchange';

export function rowsOf(trace: Trace): Row[] {
  const rows: Row[] = [];
  const none = { label: '', labelSource: '' };
  for (const h of trace.holdings) {
    rows.push({ ...none, ...h, key: '', state: 'holding', kind: 'holding', money: h, since: h.since ?? '' });
  }
  for (const e of trace.exits) {
    rows.push({
      ...e,
      key: '',
      state: 'exit',
      kind: kindOfExit(e.category),
      labelSource: e.source,
      money: e,
      since: e.first ?? '',
    });
  }
  for (const u of trace.unfollowed) {
    rows.push({ ...none, ...u, key: '', state: 'unfollowed', kind: 'unfollowed', money: u, since: u.since ?? '' });
  }
  for (const i of trace.incomplete) {
    rows.push({
      ...none,
      key: '',
      state: 'incomplete',
      kind: 'incomplete',
      account: i.account,
      money: i.missing,
      provisional: false,
      since: '',
    });
  }
  for (const state of ['fees', 'adjustments', 'collided'] as const) {
    for (const part of trace[state]) {
      rows.push({
        ...none,
        key: '',
        state,
        kind: 'aside',
        account: '',
        money: part,
        origin: part.origin,
        basis: part.basis,
        provisional: false,
        since: '',
      });
    }
  }
  return ordered(rows);
}

const stateOf: Partial<Record<Kind, State>> = {
  holding: 'holding',
  exchange: 'exit',
  mixer: 'exit',
  bridge: 'exit',
  unfollowed: 'unfollowed',
  incomplete: 'incomplete',
};

// rowsOfGraph is the same for a theft that was traced elsewhere: what the
// findings that were shared say, as the graph has it.
export function rowsOfGraph(graph: GraphData): Row[] {
  const rows: Row[] = [];
  for (const node of graph.nodes) {
    const state = stateOf[node.kind];
    if (!state || node.members !== 1) continue;
    for (const money of node.amounts) {
      rows.push({
        key: '',
        state,
        kind: node.kind,
        account: node.id,
        label: node.label ?? '',
        labelSource: node.label_source ?? '',
        money,
        origin: node.origin.length === 1 && node.amounts.length === 1 ? node.origin[0] : undefined,
        provisional: false,
        since: node.since ?? '',
      });
    }
  }
  return ordered(rows);
}

// ordered puts the most urgent state first, within it the most money, and equal
// amounts in order of arrival.
function ordered(rows: Row[]): Row[] {
  const place = new Map(states.map((state, i) => [state, i]));
  rows.sort(
    (a, b) =>
      (place.get(a.state) ?? 9) - (place.get(b.state) ?? 9) ||
      compare(BigInt(b.money.base), BigInt(a.money.base)) ||
      a.since.localeCompare(b.since) ||
      compare(a.account, b.account),
  );
  return rows.map((row, i) => ({ ...row, key: `${row.state}:${row.account}:${row.money.asset}:${i}` }));
}

// balances is the conservation of a theft, for each stolen asset, in origin
// amounts: theft = holdings + exits + unfollowed + fees + adjustments +
// collided, in base units. Methods that carry no origin amounts have none.
export function balances(of: Pick<Case, 'theft' | 'trace'>): Balance[] {
  if (!of.trace) return [];
  const rows = rowsOf(of.trace);
  const out: Balance[] = [];
  for (const [asset, stolen] of sums(of.theft.amounts)) {
    const decimals = decimalsOf(stolen.unit);
    const money = (base: bigint): Money => ({
      asset,
      symbol: stolen.symbol,
      base: base.toString(),
      amount: decimal(base, decimals),
    });
    const parts = states
      .filter((state) => state !== 'incomplete') // what is missing carries no stolen funds
      .map((state) => {
        const origins = rows.filter((r) => r.state === state).flatMap((r) => (r.origin ? [r.origin] : []));
        return { state, base: sums(origins).get(asset)?.base ?? 0n };
      })
      .filter((part) => part.base > 0n);
    if (parts.length === 0) continue;
    const sum = parts.reduce((all, part) => all + part.base, 0n);
    out.push({
      asset,
      symbol: stolen.symbol,
      stolen: money(stolen.base),
      parts: parts.map((part) => ({ state: part.state, money: money(part.base) })),
      holds: sum === stolen.base,
    });
  }
  return out;
}
