import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';

export const projectDir = dirname(import.meta.dirname);

/** Lays Markdown out as the formatter would, so that it never changes a generated document. */
export async function formatDoc(markdown: string): Promise<string> {
  const style = await resolveConfig(join(projectDir, 'docs', 'any.md'));
  return format(markdown, { ...style, parser: 'markdown' });
}

export function writeDoc(name: string, text: string): void {
  writeFileSync(join(projectDir, 'docs', name), text);
}

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => {
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return `${lines.join('\n')}\n`;
}
