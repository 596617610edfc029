/**
 * HTML as a value: text that is put into a template is escaped, unless it is HTML already.
 * A history may come from anywhere, and nothing in it may become markup.
 */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | undefined | readonly (Html | string | number)[];

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '');

export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, i) => text + (i < parts.length ? render(parts[i]) : '')).join('') };
}

/** Only for markup that was made here. */
export const trusted = (markup: string): Html => ({ html: markup });

export const nothing: Html = { html: '' };

function render(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'html' in part ? part.html : part.map(render).join('');
}
