// Amounts are text and big integers from end to end: no float ever holds one.

import type { Money } from './api';

// groupDigits writes a decimal text as the language does: its separators, all its digits.
export function groupDigits(text: string, language: string): string {
  const { whole, fraction, point } = split(text, language);
  return fraction ? whole + point + fraction : whole;
}

function split(text: string, language: string): { whole: string; fraction: string; point: string } {
  const [integer = '0', fraction = ''] = text.split('.');
  // Grouped from four digits on in every language, so that columns line up.
  const format = new Intl.NumberFormat(language, { useGrouping: 'always' } as Intl.NumberFormatOptions);
  const point = format.formatToParts(1.5).find((part) => part.type === 'decimal')?.value ?? '.';
  return { whole: format.format(BigInt(integer)), fraction, point };
}

export interface Written {
  head: string; // what the eye needs
  tail: string; // the remaining digits, exact
}

// written splits an amount into what the eye needs and the rest of its digits:
// four decimals, and more where the amount is below one.
export function written(text: string, language: string, decimals = 4): Written {
  const { whole, fraction, point } = split(text, language);
  if (fraction === '') return { head: whole, tail: '' };
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0;
  const keep = /^0+$/.test(whole) ? zeros + decimals : decimals;
  return { head: whole + point + fraction.slice(0, keep), tail: fraction.slice(keep) };
}

// glance is an amount for headings and drawings: cut, never rounded, and marked
// with an ellipsis where something was cut.
export function glance(text: string, language: string, decimals = 2): string {
  const { head, tail } = written(text, language, decimals);
  return /[1-9]/.test(tail) ? head + '…' : head;
}

// sums adds amounts by asset, exactly.
export function sums(list: Money[]): Map<string, { symbol: string; base: bigint; unit: Money }> {
  const out = new Map<string, { symbol: string; base: bigint; unit: Money }>();
  for (const m of list) {
    const old = out.get(m.asset);
    if (old) old.base += BigInt(m.base);
    else out.set(m.asset, { symbol: m.symbol ?? '', base: BigInt(m.base), unit: m });
  }
  return out;
}

// decimalsOf is how many decimals an asset has, told by one amount in both forms.
// Trailing zeros of the base form that the decimal text left out make several
// answers possible for an amount of zero only; then there is nothing to place.
export function decimalsOf(m: Money): number {
  const [integer = '0', fraction = ''] = m.amount.split('.');
  if (/^0*$/.test(m.base)) return 0;
  const digits = (integer + fraction).replace(/^0+/, '');
  return fraction.length + (m.base.length - digits.length);
}

// decimal writes base units in whole units, without trailing zeros.
export function decimal(base: bigint, decimals: number): string {
  if (decimals === 0) return base.toString();
  const negative = base < 0n;
  const digits = (negative ? -base : base).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, -decimals);
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return (negative ? '-' : '') + (fraction ? `${whole}.${fraction}` : whole);
}

// total is the sum of amounts of one asset as Money. The largest amount tells
// the asset's decimals.
export function total(list: Money[]): Money[] {
  const out: Money[] = [];
  for (const [asset, sum] of sums(list)) {
    const known = list.find((m) => m.asset === asset && !/^0*$/.test(m.base)) ?? sum.unit;
    out.push({ asset, symbol: sum.symbol, base: sum.base.toString(), amount: decimal(sum.base, decimalsOf(known)) });
  }
  return out;
}

// permille is a's share of b in thousandths, for bars: integers only.
export function permille(a: bigint, b: bigint): number {
  return b === 0n ? 0 : Number((a * 1000n) / b);
}
