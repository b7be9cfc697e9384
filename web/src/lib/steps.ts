// What to do next about a theft, told by what is known of it.

import type { Partner, Theft } from './api';

export type Step =
  | { kind: 'trace' }
  | { kind: 'exit'; accounts: number }
  | { kind: 'unanswered'; statements: number; partners: string[] }
  | { kind: 'incomplete'; accounts: number }
  | { kind: 'unfollowed'; accounts: number }
  | { kind: 'invite' }
  | { kind: 'watch'; accounts: number };

const accountsAt = (theft: Theft, place: string): number =>
  theft.where.filter((w) => w.place === place).reduce((sum, w) => sum + w.accounts, 0);

export const active = (partner: Partner): boolean => partner.agreements.some((a) => a.state === 'active');

// stepsFor lists what to do, the most urgent first. Partners that are not known
// (yet) lead to no advice about them.
export function stepsFor(theft: Theft, partners: Partner[] | undefined): Step[] {
  if (!theft.traced && theft.where.length === 0) return [{ kind: 'trace' }];
  const steps: Step[] = [];
  const exits = accountsAt(theft, 'exit');
  if (exits > 0) steps.push({ kind: 'exit', accounts: exits });
  if (partners) {
    const silent = partners.filter((p) => p.unanswered > 0);
    if (!partners.some(active)) steps.push({ kind: 'invite' });
    else if (silent.length > 0) {
      const statements = silent.reduce((sum, p) => sum + p.unanswered, 0);
      steps.push({ kind: 'unanswered', statements, partners: silent.map((p) => p.name) });
    }
  }
  const incomplete = accountsAt(theft, 'incomplete');
  if (incomplete > 0) steps.push({ kind: 'incomplete', accounts: incomplete });
  const unfollowed = accountsAt(theft, 'unfollowed');
  if (unfollowed > 0) steps.push({ kind: 'unfollowed', accounts: unfollowed });
  const holding = accountsAt(theft, 'holding');
  if (holding > 0) steps.push({ kind: 'watch', accounts: holding });
  return steps;
}
