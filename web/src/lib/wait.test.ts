import { expect, it } from 'vitest';
import { wait } from './backoff';

it('waits longer each time, up to half a minute, and never in step with others', () => {
  const most = Array.from({ length: 20 }, (_, attempt) => wait(attempt, () => 1));
  const least = Array.from({ length: 20 }, (_, attempt) => wait(attempt, () => 0));
  for (let i = 1; i < most.length; i++) expect(most[i]).toBeGreaterThanOrEqual(most[i - 1] ?? 0);
  expect(most[0]).toBe(500);
  expect(Math.max(...most)).toBe(30_000);
  most.forEach((value, i) => expect(least[i]).toBe(value / 2));
});
