// The JSON that the node serves under /api/v1, and how the pages ask for it.

export interface Money {
  asset: string;
  symbol?: string;
  amount: string; // decimal text in whole units
  base: string; // integer text in base units
}

export interface Session {
  organisation: { id: string; name: string; fingerprint: string };
  user: { name: string; role: 'reader' | 'analyst' | 'admin' };
  csrf: string;
  version: string;
}

export type Place = 'holding' | 'passed' | 'exit' | 'unfollowed' | 'incomplete';

export interface Theft {
  id: string;
  title: string;
  stated: string;
  author: string;
  author_name?: string;
  marking: string;
  fires: number;
  amounts: Money[];
  holdings_total: Money[];
  where: { place: Place; amounts: Money[]; accounts: number }[];
  accounts: number;
  transfers: number;
  digest?: string;
  traced?: string;
}

export type Basis = 'observed' | 'inferred';

interface Placed extends Money {
  account: string;
  origin?: Money;
  theft: string;
  basis: Basis;
  rule?: string;
  provisional: boolean;
}

export interface Holding extends Placed {
  since?: string;
}

export interface Exit extends Placed {
  label: string;
  category: string;
  source: string;
  first?: string;
  last?: string;
}

export interface Unfollowed extends Placed {
  reason: string;
  since?: string;
}

export interface Incomplete {
  account: string;
  spent: Money;
  known: Money;
  missing: Money;
}

export interface Part extends Money {
  origin?: Money;
  theft: string;
  basis?: Basis;
}

export interface Aside {
  account: string;
  touched: string;
  reason: string;
  asset: string;
  symbol: string;
  count: number;
  first: string;
  last: string;
  like?: string;
}

export interface Trace {
  method: string;
  accounts: number;
  transfers: number;
  holdings: Holding[];
  exits: Exit[];
  unfollowed: Unfollowed[];
  incomplete: Incomplete[];
  fees: Part[];
  adjustments: Part[];
  collided: Part[];
  turned: Money[];
  aside?: Aside[];
  ledger: { chain: string; from: number; to: number; gaps: number; digest: string }[];
  labels: string[];
  conserved: boolean;
  digest: string;
  elapsed_ms: number;
}

export interface Label {
  label: string;
  category?: string;
  source: string;
  confidence: number;
  lastmod?: string;
  deciding: boolean;
}

export interface Movement {
  chain: string;
  tx: string;
  time?: string;
  block?: number;
  from: string;
  to: string;
  kind: string;
  amount: Money;
}

// What a watch stated of stolen funds as they moved.
export interface News {
  statement: string;
  author: string;
  author_name?: string;
  marking: string;
  stated: string;
  event: 'moved' | 'reached-service' | 'woke';
  account: string;
  from: string[];
  senders: number;
  amount: Money;
  origin?: Money;
  tx: string;
  block?: number;
  time?: string;
  idle_days?: number;
  label?: string;
  label_source?: string;
  basis: Basis;
  rule?: string;
  link?: 'wrap' | 'unwrap';
  via?: string;
  provisional: boolean;
}

export interface Case {
  theft: Theft;
  movements: Movement[];
  trace: Trace | null;
  labels: Record<string, Label[]>;
  statements: number;
  news: News[];
  news_total: number;
}

export type Kind =
  'source' | 'passed' | 'holding' | 'exchange' | 'mixer' | 'bridge' | 'unfollowed' | 'incomplete' | 'aside';

export interface GraphNode {
  id: string;
  short: string;
  label?: string;
  label_source?: string;
  kind: Kind;
  x: number;
  y: number;
  size: number;
  hop: number;
  loose?: boolean; // how far it is from a source is not known
  amounts: Money[];
  origin: Money[];
  since?: string;
  first?: string;
  lookalike?: string[];
  members: number;
  sample?: string[];
}

export interface GraphEdge {
  id: string;
  from: string;
  to: string;
  amounts: Money[];
  count: number;
  first?: string;
  last?: string;
  txs: string[];
  basis: Basis;
  rule?: string;
  width: number;
}

export interface GraphData {
  axis: 'time' | 'hops';
  from?: string;
  to?: string;
  width: number;
  height: number;
  accounts: number;
  aggregated: boolean;
  nodes: GraphNode[];
  edges: GraphEdge[];
  ticks: { x: number; time?: string; hop?: number; break?: boolean }[];
  fans: { from: string; nodes: string[]; amount: Money; first?: string; last?: string }[];
}

export interface Partner {
  id: string;
  name: string;
  fingerprint: string;
  since: string;
  agreements: {
    id: string;
    title: string;
    state: 'proposed' | 'active' | 'ended' | 'expired';
    valid_from: string;
    valid_until?: string;
    highest_tlp: string;
  }[];
  shared: number;
  withheld: number;
  receipts: { arrived: number; active: number; acted: number; removed: number; refused: number };
  p50_ms: number;
  p99_ms: number;
  last_seen?: string;
  unanswered: number;
}

export interface Receipt {
  partner: string;
  partner_name?: string;
  state: 'arrived' | 'active' | 'acted' | 'removed' | 'refused';
  at: string;
  ms: number;
}

export type VerdictName = 'clear' | 'watch' | 'hold' | 'block' | 'invalid';

export interface Reason {
  statement: string;
  author: string;
  author_name?: string;
  marking: string;
  since: string;
  kind: 'listing' | 'exposure';
  verdict: VerdictName;
  theft?: string;
  place?: Place;
  account?: string;
  amount?: Money;
  origin?: Money;
  basis?: Basis;
  rule?: string;
  provisional?: boolean;
  text?: string;
  until?: string;
}

export interface Screened {
  value: string;
  read_as: string;
  type?: string;
  verdict: VerdictName;
  reasons: Reason[];
  error?: { code: string; message: string; hint?: string };
}

// Problem is an RFC 9457 problem document, or what stands for one when the node
// could not answer at all.
export class Problem extends Error {
  constructor(
    readonly status: number, // 0: the node did not answer
    readonly title: string,
    readonly where: string,
    readonly hint: string,
    readonly retryAfter: number = 0, // seconds
  ) {
    super(title);
  }
}

// hidden are characters that show nothing or turn text around: control
// characters and bidirectional overrides. Names and words come from partners; none
// may make one thing look like another.
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

// read parses the node's JSON with every such character made visible.
export function read(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? value.replace(hidden, '\ufffd') : value));
}

const base = 'api/v1/';
let csrf = '';

export function useCsrf(token: string): void {
  csrf = token;
}

interface ProblemDocument {
  title?: string;
  detail?: string;
  where?: string;
  instance?: string;
  hint?: string;
}

async function problemOf(response: Response): Promise<Problem> {
  let doc: ProblemDocument = {};
  try {
    doc = read(await response.text()) as ProblemDocument;
  } catch {
    // Not JSON: the status says what there is to say.
  }
  return new Problem(
    response.status,
    doc.detail ?? doc.title ?? response.statusText,
    doc.where ?? doc.instance ?? '',
    doc.hint ?? '',
    Number(response.headers.get('Retry-After') ?? 0),
  );
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(base + path, { credentials: 'same-origin', ...init });
  } catch {
    throw new Problem(0, '', '', '');
  }
  if (!response.ok) throw await problemOf(response);
  return read(await response.text()) as T;
}

export const get = <T>(path: string): Promise<T> => ask<T>(path);

export const post = <T>(path: string, body: unknown): Promise<T> =>
  ask<T>(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Bongsu-CSRF': csrf },
    body: JSON.stringify(body),
  });
