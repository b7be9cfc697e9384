// Where text has room: rectangles that are taken, in a grid of cells so that
// asking costs little however many there are.

export interface Box {
  x: number; // left, in pixels
  y: number; // top
  w: number;
  h: number;
}

const cell = 64;

export class Room {
  #cells = new Map<string, Box[]>();

  clear(): void {
    this.#cells.clear();
  }

  *#keys(box: Box): Generator<string> {
    for (let i = Math.floor(box.x / cell); i <= Math.floor((box.x + box.w) / cell); i++) {
      for (let j = Math.floor(box.y / cell); j <= Math.floor((box.y + box.h) / cell); j++) yield `${i}:${j}`;
    }
  }

  free(box: Box): boolean {
    for (const key of this.#keys(box)) {
      for (const taken of this.#cells.get(key) ?? []) {
        const apart =
          box.x + box.w <= taken.x || taken.x + taken.w <= box.x || box.y + box.h <= taken.y || taken.y + taken.h <= box.y;
        if (!apart) return false;
      }
    }
    return true;
  }

  take(box: Box): void {
    for (const key of this.#keys(box)) {
      const list = this.#cells.get(key);
      if (list) list.push(box);
      else this.#cells.set(key, [box]);
    }
  }

  // first takes the first of some boxes that is free and says which; -1: none.
  first(boxes: Box[]): number {
    const found = boxes.findIndex((box) => this.free(box));
    const box = boxes[found];
    if (box) this.take(box);
    return found;
  }
}
