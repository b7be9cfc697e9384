import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import ts from 'typescript-eslint';

const browser = [
  'document',
  'window',
  'fetch',
  'EventSource',
  'URL',
  'Blob',
  'navigator',
  'location',
  'localStorage',
  'matchMedia',
  'setTimeout',
  'clearTimeout',
  'console',
  'process',
];

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', '.svelte-kit/'] },
  ts.configs.recommended,
  svelte.configs.recommended,
  {
    languageOptions: { globals: Object.fromEntries(browser.map((name) => [name, 'readonly'])) },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    rules: {
      'no-console': 'error',
      'no-eval': 'error',
      'svelte/no-at-html-tags': 'error',
      // Dates and sets here are made, read and dropped inside one function.
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/require-each-key': 'error',
    },
  },
  { files: ['e2e/**'], rules: { 'no-console': 'off' } },
);
