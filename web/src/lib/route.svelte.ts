// Hash routes: #/, #/theft/ID, #/partners, #/screen.

export type Route = { page: 'home' } | { page: 'theft'; id: string } | { page: 'partners' } | { page: 'screen' };

export function parse(hash: string): Route {
  const [page, id] = hash.replace(/^#?\/?/, '').split('/');
  if (page === 'theft' && id) return { page, id: decodeURIComponent(id) };
  if (page === 'partners' || page === 'screen') return { page };
  return { page: 'home' };
}

class Router {
  current = $state<Route>(parse(location.hash));

  constructor() {
    window.addEventListener('hashchange', () => (this.current = parse(location.hash)));
  }
}

export const router = new Router();
export const toTheft = (id: string): string => `#/theft/${encodeURIComponent(id)}`;
