import { describe, expect, it } from 'vitest';
import de from './de.json';
import en from './en.json';
import fr from './fr.json';
import italian from './it.json';
import ko from './ko.json';

const texts: Record<string, Record<string, string>> = { en, ko, it: italian, fr, de };
const languages = Object.keys(texts);
const files = import.meta.glob<string>('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });
const code = Object.entries(files)
  .filter(([name]) => !name.endsWith('.test.ts'))
  .map(([, text]) => text)
  .join('\n');

const plural = /\.(zero|one|two|few|many|other)$/;
const stem = (key: string): string => key.replace(plural, '');
const isPlural = (key: string): boolean => plural.test(key) && `${stem(key)}.other` in (texts['en'] ?? {});
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '').sort();

// wanted is what a language must have: every plain key, and of each plural the
// forms that its numbers from 0 to 1000 take.
function wanted(language: string): Set<string> {
  const rules = new Intl.PluralRules(language);
  const forms = new Set(Array.from({ length: 1001 }, (_, i) => rules.select(i)));
  const out = new Set<string>();
  for (const key of Object.keys(texts['en'] ?? {})) {
    if (!isPlural(key)) out.add(key);
    else for (const form of forms) out.add(`${stem(key)}.${form}`);
  }
  return out;
}

describe.each(languages)('%s', (language) => {
  const table = texts[language] ?? {};

  it('has every text and no other', () => {
    expect([...wanted(language)].filter((key) => !(key in table))).toEqual([]);
    expect(Object.keys(table).filter((key) => !wanted(language).has(key))).toEqual([]);
  });

  it('fills the same places as English', () => {
    for (const [key, text] of Object.entries(table)) {
      const english = texts['en']?.[key] ?? texts['en']?.[`${stem(key)}.other`] ?? '';
      expect(places(text), key).toEqual(places(english));
    }
  });

  it('leaves nothing empty, and nothing in English by accident', () => {
    for (const [key, text] of Object.entries(table)) {
      expect(text.trim(), key).not.toBe('');
      // Two words or more that are the same as in English are a forgotten text.
      if (language !== 'en' && /\p{L} \p{L}/u.test(text)) expect(text, key).not.toBe(texts['en']?.[key]);
      if (language === 'ko' && /[a-z]{3}/i.test(text)) {
        expect(/[가-힣]/.test(text) || key === 'footer.version', `${key}: ${text}`).toBe(true);
      }
    }
  });
});

it('uses every text, and only texts that there are', () => {
  expect(Object.keys(files).length).toBeGreaterThan(25);
  const keys = Object.keys(texts['en'] ?? {});
  // t('a.b'), n('a'), named('a', ...), and t(`a.${...}`), which uses all of a.
  const literal = new Set([...code.matchAll(/\b(?:t|n|named)\(\s*'([^']+)'/g)].map((m) => m[1] ?? ''));
  for (const [, choice] of code.matchAll(/\bt\(([^()`]*\?[^()`]*)\)/g)) {
    for (const [, key] of (choice ?? '').matchAll(/'([^']+)'/g)) literal.add(key ?? '');
  }
  const dynamic = new Set([...code.matchAll(/\bt\(`([\w.]+)\.\$\{/g)].map((m) => m[1] ?? ''));
  for (const [, name] of code.matchAll(/\bnamed\(\s*'([^']+)'/g)) dynamic.add(name ?? '');
  const used = (key: string): boolean =>
    literal.has(key) || (isPlural(key) && literal.has(stem(key))) || dynamic.has(key.slice(0, key.lastIndexOf('.')));
  expect(keys.filter((key) => !used(key))).toEqual([]);
  const known = (name: string): boolean =>
    keys.some((key) => key === name || stem(key) === name || key.startsWith(`${name}.`));
  expect([...literal, ...dynamic].filter((name) => !known(name))).toEqual([]);
});
