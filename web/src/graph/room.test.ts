import { expect, it } from 'vitest';
import { Room, type Box } from './room';

it('gives room once, also across cells', () => {
  const room = new Room();
  const box = (x: number, y: number, w = 100, h = 12): Box => ({ x, y, w, h });
  room.take(box(10, 10, 300, 300));
  expect(room.free(box(200, 200))).toBe(false);
  expect(room.free(box(310, 10))).toBe(true); // touching is apart
  expect(room.free(box(309.5, 10))).toBe(false);
  expect(room.free(box(-200, -200))).toBe(true);
  expect(room.first([box(20, 20), box(400, 20), box(400, 40)])).toBe(1);
  expect(room.first([box(420, 25), box(0, 0)])).toBe(-1);
  room.clear();
  expect(room.free(box(20, 20))).toBe(true);
});

it('agrees with comparing all boxes', () => {
  let seed = 7;
  const next = (most: number) => (seed = (seed * 48271) % 2147483647) % most;
  const room = new Room();
  const taken: Box[] = [];
  for (let i = 0; i < 500; i++) {
    const box = { x: next(900) - 100, y: next(700) - 100, w: 1 + next(150), h: 1 + next(30) };
    const clash = taken.some((t) => box.x < t.x + t.w && t.x < box.x + box.w && box.y < t.y + t.h && t.y < box.y + box.h);
    expect(room.free(box)).toBe(!clash);
    if (!clash) {
      room.take(box);
      taken.push(box);
    }
  }
});
