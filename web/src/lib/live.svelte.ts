// Live updates: the node's server-sent events, reconnected with back-off.

import { wait } from './backoff';

export const kinds = ['theft', 'finding', 'receipt', 'screening', 'journal'] as const;
export type EventKind = (typeof kinds)[number];

const settle = 250; // events of one burst are answered by one reload

type Listener = { kinds: readonly EventKind[]; run: () => void; timer?: ReturnType<typeof setTimeout> };

class Live {
  state = $state<'off' | 'connecting' | 'live' | 'lost'>('off');
  #source: EventSource | undefined;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<Listener>();

  start(): void {
    if (this.#source) return;
    this.state = this.#attempt === 0 ? 'connecting' : 'lost';
    const source = new EventSource('api/v1/events');
    this.#source = source;
    source.onopen = () => {
      const back = this.#attempt > 0;
      this.#attempt = 0;
      this.state = 'live';
      if (back) this.#tell(kinds); // what happened meanwhile is unknown: ask for everything
    };
    source.onerror = () => this.#again();
    for (const kind of kinds) source.addEventListener(kind, () => this.#tell([kind]));
  }

  #again(): void {
    this.#source?.close();
    this.#source = undefined;
    this.state = 'lost';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), wait(this.#attempt++));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    this.state = 'off';
  }

  #tell(happened: readonly EventKind[]): void {
    for (const listener of this.#listeners) {
      if (!listener.kinds.some((kind) => happened.includes(kind))) continue;
      clearTimeout(listener.timer);
      listener.timer = setTimeout(listener.run, settle);
    }
  }

  // on calls run soon after events of these kinds; the answer ends that.
  on(wanted: readonly EventKind[], run: () => void): () => void {
    const listener: Listener = { kinds: wanted, run };
    this.#listeners.add(listener);
    return () => {
      clearTimeout(listener.timer);
      this.#listeners.delete(listener);
    };
  }
}

export const live = new Live();
