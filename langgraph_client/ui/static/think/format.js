// How values are shown: ids, times, durations, one-line previews.
import { isNested } from './json.js';

// The end of an id: ids that were made one after the other begin alike.
export const shortId = (id) => String(id ?? '').slice(-8);

export function ago(time, now = Date.now()) {
  const seconds = Math.round((now - Date.parse(time)) / 1000);
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 86400 * 30) return `${Math.floor(seconds / 86400)} d ago`;
  return new Date(time).toLocaleDateString();
}

export const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false });
export const full = (time) => (time ? new Date(time).toLocaleString() : '');

export function duration(ms) {
  if (!Number.isFinite(ms) || ms < 0) return '';
  if (ms < 1) return '<1 ms';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function preview(value, most = 120) {
  const text = typeof value === 'string' ? value : textOf(value) ?? JSON.stringify(value) ?? '';
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

// The text of a message's content: a string, or a list of blocks.
export function textOf(content) {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  if (!content.every((block) => typeof block === 'string' || typeof block?.type === 'string')) return null;
  return content.map((block) => (typeof block === 'string' ? block : block.text ?? '')).join('');
}

// A text in one line, without the marks of Markdown that say how it is set.
export function withoutMarks(content) {
  const text = typeof content === 'string' ? content : textOf(content);
  return text?.replace(/^\s*```.*$/gm, '').replace(/(^|[\s(])(\*\*|__|`)(\S.*?\S|\S)\2(?=$|[\s.,:;!?)])/gm, '$1$3').replace(/^\s*#+\s/gm, '') ?? content;
}

export function isEmpty(value) {
  return value === null || value === undefined || (isNested(value) && !Object.keys(value).length);
}

export const pretty = (value) => JSON.stringify(value ?? null, null, 2);
