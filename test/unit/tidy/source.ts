import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A file as the rules see it. `path` is relative to the project, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** The text with comments and the contents of strings blanked out; same length, same lines. */
  readonly code: string;
  readonly imports: readonly ImportLine[];
}

export interface ImportLine {
  readonly specifier: string;
  readonly line: number;
  /** `import type`, `export type`: erased, so it brings nothing in at run time. */
  readonly typeOnly: boolean;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  /** What is wrong, and what to write instead. */
  readonly text: string;
}

/** Everything that is committed or about to be. */
export function projectFiles(): string[] {
  // A checkout that belongs to somebody else (containers, CI) is still ours to read.
  const list = execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '--cached', '--others', '--exclude-standard', '-z'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  return list.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export function sourceFile(path: string, text: string = readText(path)): SourceFile {
  const code = blank(text);
  return { path, text, code, imports: importsOf(text, code) };
}

/** 1-based. */
export const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

const SPECIFIER =
  /(?:^|\n)[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)[ \t]*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|\bimport\.meta\.resolve\(\s*['"]([^'"]+)['"]|new URL\(\s*['"]([^'"]+)['"]\s*,\s*import\.meta\.url/g;

function importsOf(text: string, code: string): ImportLine[] {
  const found: ImportLine[] = [];
  for (const match of text.matchAll(SPECIFIER)) {
    const start = match.index + match[0].search(/\S/);
    const specifier = match.slice(1).find((group) => group !== undefined);
    // Blanked out: it stands in a comment or a string.
    if (specifier === undefined || code[start] !== text[start]) continue;
    const typeOnly = /^(?:import|export)\s+type\b/.test(text.slice(start, start + 20));
    found.push({ specifier, line: lineAt(text, match.index + match[0].length - 1), typeOnly });
  }
  return found;
}

/** After these a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|=>|\b(?:return|typeof|case|in|of|void|yield|await))\s*$/;
const TOKEN_END: Readonly<Record<string, RegExp>> = {
  "'": /(?:\\[^]|[^'\\\n])*'?/y,
  '"': /(?:\\[^]|[^"\\\n])*"?/y,
  '/': /(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*\//y,
};

/** A small lexer: enough to know what is code and what is only text. */
function blank(text: string): string {
  const out = text.split('');
  const erase = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  /** Brace depth at which each open `${` returns to its template. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  const template = (from: number): number => {
    let i = from;
    while (i < text.length && text[i] !== '`' && !(text[i] === '$' && text[i + 1] === '{'))
      i += text[i] === '\\' ? 2 : 1;
    erase(from, i);
    if (text[i] === '$') {
      templates.push(depth);
      depth += 1;
      return i + 2;
    }
    return i + 1;
  };
  while (at < text.length) {
    const char = text[at] ?? '';
    const pair = text.slice(at, at + 2);
    if (pair === '//' || pair === '/*') {
      const close = pair === '//' ? text.indexOf('\n', at) : text.indexOf('*/', at + 2) + 2;
      const end = close < 2 ? text.length : close;
      erase(at, end);
      at = end;
    } else if (char === '`') {
      at = template(at + 1);
    } else if (
      char === "'" ||
      char === '"' ||
      (char === '/' && BEFORE_REGEX.test(out.slice(Math.max(0, at - 40), at).join('')))
    ) {
      at = literalEnd(text, at, char, erase);
    } else {
      if (char === '{') depth += 1;
      if (char === '}') {
        depth -= 1;
        if (templates.at(-1) === depth) {
          templates.pop();
          at = template(at + 1);
          continue;
        }
      }
      at += 1;
    }
  }
  return out.join('');
}

function literalEnd(text: string, at: number, quote: string, erase: (from: number, to: number) => void): number {
  const pattern = TOKEN_END[quote];
  if (!pattern) return at + 1;
  pattern.lastIndex = at + 1;
  const length = pattern.exec(text)?.[0].length;
  if (length === undefined) return at + 1;
  erase(at + 1, at + length);
  return at + 1 + length;
}
