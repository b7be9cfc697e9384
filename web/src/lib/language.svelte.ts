// Five languages, one JSON each. A key that is missing or unused fails a test.

import de from '../i18n/de.json';
import en from '../i18n/en.json';
import fr from '../i18n/fr.json';
import it from '../i18n/it.json';
import ko from '../i18n/ko.json';

export type Key = keyof typeof en;
type Plural = Key extends infer K ? (K extends `${infer Stem}.other` ? Stem : never) : never;

export const languages = { en: 'English', ko: '한국어', it: 'Italiano', fr: 'Français', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

const texts: Record<Language, Record<string, string>> = { en, ko, it, fr, de };
const stored = 'bongsu.language';

function first(): Language {
  const wanted = [localStorage.getItem(stored) ?? '', ...navigator.languages].map((tag) => tag.slice(0, 2));
  return (wanted.find((tag) => tag in languages) ?? 'en') as Language;
}

class Speech {
  current = $state<Language>(first());

  use(language: Language): void {
    this.current = language;
    localStorage.setItem(stored, language);
  }
}

export const speech = new Speech();

type Values = Record<string, string | number>;

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === 'number' ? count(value) : value;
  });
}

// t is the text of a key in the page's language.
export function t(key: Key, values: Values = {}): string {
  return fill(texts[speech.current][key] ?? key, values);
}

// named is the text of a value that the node chose: a rule or a reason may be
// newer than these pages, and then its own name (or the text given) stands.
export function named(stem: string, value: string, otherwise = value): string {
  const key = `${stem}.${value}`;
  return key in texts.en ? t(key as Key) : otherwise;
}

// n is the text for a number of things: the language's plural form of the key.
export function n(stem: Plural, quantity: number, values: Values = {}): string {
  const table = texts[speech.current];
  const form = new Intl.PluralRules(speech.current).select(quantity);
  return fill(table[`${stem}.${form}`] ?? table[`${stem}.other`] ?? stem, { n: quantity, ...values });
}

export function count(value: number): string {
  return new Intl.NumberFormat(speech.current).format(value);
}

export function milliseconds(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return new Intl.NumberFormat(speech.current, {
    style: 'unit',
    unit: 'millisecond',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

const options: Record<'date' | 'time' | 'full' | 'tick' | 'tickDay', Intl.DateTimeFormatOptions> = {
  date: { dateStyle: 'medium' },
  time: { timeStyle: 'medium' },
  full: { dateStyle: 'medium', timeStyle: 'medium' },
  tick: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  tickDay: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
};

// moment writes a time of the node in the page's language, always in UTC.
export function moment(text: string | undefined, form: keyof typeof options = 'full'): string {
  if (!text) return '';
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const zone = form === 'full' || form === 'time' ? ' UTC' : '';
  return new Intl.DateTimeFormat(speech.current, { timeZone: 'UTC', ...options[form] }).format(at) + zone;
}

export function list(items: string[]): string {
  return new Intl.ListFormat(speech.current, { type: 'conjunction' }).format(items);
}
