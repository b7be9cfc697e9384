import { describe, expect, it } from 'vitest';
import { place, type Frame } from './place';

const frame: Frame = { width: 1000, height: 700, left: 50, right: 150, top: 30, bottom: 60 };

describe('placing a layout in a window', () => {
  it.each([
    { width: 29, height: 20 },
    { width: 8, height: 0 },
    { width: 0, height: 0 },
    { width: 0, height: 12 },
    { width: 400, height: 300 },
    { width: 60, height: 2 },
  ])('never squeezes: $width x $height', (graph) => {
    const p = place(graph, frame);
    expect(p.row).toBeGreaterThanOrEqual(13);
    expect(p.row).toBeLessThanOrEqual(30);
    // One row of the layout is at least one row on the screen, both ways.
    expect(p.y(1) - p.y(0)).toBeGreaterThanOrEqual(p.row - 1e-9);
    if (graph.width > 0) expect(p.x(1) - p.x(0)).toBeGreaterThanOrEqual(p.row - 1e-9);
  });

  it('keeps what fits inside the window', () => {
    const graph = { width: 29, height: 20 };
    const p = place(graph, frame);
    expect(p.x(0)).toBeGreaterThanOrEqual(50);
    expect(p.x(graph.width)).toBeLessThanOrEqual(850 + 1e-9);
    expect(p.y(0)).toBeGreaterThanOrEqual(30);
    expect(p.y(graph.height)).toBeLessThanOrEqual(640 + 1e-9);
  });

  it('stands back from what does not fit', () => {
    const p = place({ width: 400, height: 300 }, frame);
    expect(p.ratio).toBeGreaterThan(1);
    expect(p.x(400)).toBeLessThanOrEqual(p.width);
    expect(p.y(300)).toBeLessThanOrEqual(p.height);
    expect(place({ width: 29, height: 20 }, frame).ratio).toBe(1);
  });

  it('puts a single account in the middle', () => {
    const p = place({ width: 0, height: 0 }, frame);
    expect(p.x(0)).toBe(450);
  });
});
