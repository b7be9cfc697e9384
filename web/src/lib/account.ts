// Accounts for the eye. Comparing and copying always uses the whole text.

// address is the part of a CAIP-10 account after its chain.
export function address(account: string): string {
  return account.slice(account.lastIndexOf(':') + 1);
}

// chainOf is the CAIP-2 part.
export function chainOf(account: string): string {
  return account.slice(0, Math.max(account.lastIndexOf(':'), 0));
}

// shorten cuts the middle out: what a hand-off by voice needs stays.
export function shorten(account: string, keep = 6): string {
  const text = address(account);
  const prefix = text.startsWith('0x') ? '0x' : '';
  const rest = text.slice(prefix.length);
  return rest.length <= 2 * keep + 1 ? text : `${prefix}${rest.slice(0, keep)}…${rest.slice(-keep)}`;
}

// differs marks where two look-alikes part: runs of equal and different text.
export function differs(a: string, b: string): { text: string; same: boolean }[] {
  const out: { text: string; same: boolean }[] = [];
  for (let i = 0; i < a.length; i++) {
    const same = a[i] === b[i];
    const last = out.at(-1);
    if (last && last.same === same) last.text += a[i];
    else out.push({ text: a[i] ?? '', same });
  }
  return out;
}
