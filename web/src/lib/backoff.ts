// How long to wait before asking a node again that did not answer.

const shortest = 500; // milliseconds
const longest = 30_000;

// wait is the pause before the given attempt: doubling, capped, and spread so
// that many pages do not come back in one moment.
export function wait(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(longest, shortest * 2 ** Math.min(attempt, 10));
  return full / 2 + (full / 2) * random();
}
