// One thing asked of the node: what came, what went wrong, and asking again.

import { get, Problem } from './api';

export class Resource<T> {
  data = $state<T>();
  problem = $state<Problem>();
  loading = $state(false);
  #turn = 0;

  constructor(private path: string) {}

  async load(path = this.path): Promise<void> {
    if (path !== this.path) this.data = undefined;
    this.path = path;
    const turn = ++this.#turn;
    this.loading = true;
    try {
      const data = await get<T>(path);
      if (turn !== this.#turn) return;
      this.data = data;
      this.problem = undefined;
    } catch (cause) {
      if (turn !== this.#turn) return;
      this.problem = cause instanceof Problem ? cause : new Problem(0, String(cause), path, '');
    }
    this.loading = false;
  }
}
