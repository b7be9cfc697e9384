// Light or dark: what the system prefers, unless the person said otherwise.

export type Choice = 'system' | 'light' | 'dark';

const stored = 'bongsu.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

class Theme {
  choice = $state<Choice>((localStorage.getItem(stored) as Choice | null) ?? 'system');
  system = $state<'light' | 'dark'>(dark.matches ? 'dark' : 'light');

  constructor() {
    dark.addEventListener('change', () => (this.system = dark.matches ? 'dark' : 'light'));
  }

  get current(): 'light' | 'dark' {
    return this.choice === 'system' ? this.system : this.choice;
  }

  use(choice: Choice): void {
    this.choice = choice;
    localStorage.setItem(stored, choice);
  }
}

export const theme = new Theme();

export function calm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
