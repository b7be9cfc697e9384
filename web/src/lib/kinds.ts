// What an account is in a theft: its colour's name in app.css and its shape. A
// kind is always told by shape and word too, never by colour alone.

import type { Kind } from './api';

export const shapes: Record<Kind | 'group', number> = {
  passed: 0,
  source: 1,
  holding: 2,
  exchange: 3,
  mixer: 4,
  bridge: 5,
  unfollowed: 6,
  incomplete: 7,
  aside: 8,
  group: 9,
};

export const kindOrder: Kind[] = [
  'source',
  'passed',
  'holding',
  'exchange',
  'mixer',
  'bridge',
  'unfollowed',
  'incomplete',
  'aside',
];

export type Selection = { type: 'node' | 'edge'; id: string } | null;
