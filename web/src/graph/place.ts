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
  x: (x: number) => number; // in pixels from the left
  y: (y: number) => number; // in pixels from the top
}

const largestRow = 30;
const smallestRow = 13;
const mostStretch = 2.4; // of the vertical distances

// place fits the graph into the frame. The server promises that stretching
// never makes nodes overlap, so the roomier direction is stretched; a graph that
// does not fit keeps its smallest legible row and is scrolled by camera.
export function place(graph: Pick<GraphData, 'width' | 'height'>, frame: Frame): Placement {
  const roomX = Math.max(frame.width - frame.left - frame.right, 50);
  const roomY = Math.max(frame.height - frame.top - frame.bottom, 50);
  const wide = Math.max(graph.width, 0.001);
  const high = Math.max(graph.height, 0.001);
  const row = Math.min(largestRow, Math.max(smallestRow, Math.min(roomX / wide, roomY / high)));
  const perX = Math.max(row, roomX / wide);
  const perY = Math.min(Math.max(row, roomY / high), row * mostStretch);
  const left = graph.width === 0 ? frame.left + roomX / 2 : frame.left;
  const top = frame.top + Math.max(roomY - graph.height * perY, 0) / 2;
  return {
    row,
    x: (x) => left + x * Math.min(perX, graph.width === 0 ? 0 : perX),
    y: (y) => top + y * perY,
  };
}
