// From the server's layout to pixels: where a graph of rows lies in a window.

import type { GraphData } from '../lib/api';

export interface Frame {
  width: number;
  height: number;
  left: number; // room beside the graph, in pixels
  right: number;
  top: number;
  bottom: number;
}

export interface Placement {
  row: number; // pixels of one row, which node sizes are measured in
  width: number; // of the whole picture with its margins, in pixels
  height: number;
  ratio: number; // how far a camera stands back to see all of it; 1: it fits
  x: (x: number) => number; // in pixels from the left
  y: (y: number) => number; // in pixels from the top
}

const largestRow = 30;
const smallestRow = 13;
const widestRow = 64; // vertical distances are stretched up to this

// place fits the graph into the frame. The server promises that stretching
// never makes nodes overlap, so the roomier direction is stretched; a graph that
// does not fit keeps its smallest legible row, and the camera stands back.
export function place(graph: Pick<GraphData, 'width' | 'height'>, frame: Frame): Placement {
  const roomX = Math.max(frame.width - frame.left - frame.right, 50);
  const roomY = Math.max(frame.height - frame.top - frame.bottom, 50);
  const wide = Math.max(graph.width, 0.001);
  const high = Math.max(graph.height, 0.001);
  const row = Math.min(largestRow, Math.max(smallestRow, Math.min(roomX / wide, roomY / high)));
  const perX = graph.width === 0 ? 0 : Math.max(row, roomX / wide);
  const perY = Math.min(Math.max(row, roomY / high), Math.max(row, widestRow));
  const left = graph.width === 0 ? frame.left + roomX / 2 : frame.left;
  const top = frame.top + Math.max(roomY - graph.height * perY, 0) / 2;
  const width = Math.max(frame.width, left + graph.width * perX + frame.right);
  const height = Math.max(frame.height, top + graph.height * perY + frame.bottom);
  return {
    row,
    width,
    height,
    ratio: Math.max(width / Math.max(frame.width, 1), height / Math.max(frame.height, 1)),
    x: (x) => left + x * perX,
    y: (y) => top + y * perY,
  };
}
