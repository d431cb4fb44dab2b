// Reads the little of Markdown that models write into a tree, which is then drawn as elements.
// There is no HTML in it: a tag is text. Links lead to web pages only, and images are links.

const FENCE = /^\s*```(.*)$/;

// Returns blocks: {kind: 'code', language, text} | {kind: 'heading', level, spans}
// | {kind: 'list', ordered, items: [spans]} | {kind: 'quote', spans} | {kind: 'paragraph', spans}.
export function blocksOf(source) {
  const lines = source.split('\n');
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    const fence = FENCE.exec(lines[at]);
    if (fence) {
      let end = at + 1;
      while (end < lines.length && !/^\s*```\s*$/.test(lines[end])) end += 1;
      blocks.push({ kind: 'code', language: fence[1].trim(), text: lines.slice(at + 1, end).join('\n') });
      at = end + 1;
    } else if (!lines[at].trim()) {
      at += 1;
    } else {
      const [block, next] = blockAt(lines, at);
      blocks.push(block);
      at = next;
    }
  }
  return blocks;
}

function blockAt(lines, at) {
  const heading = /^(#{1,6})\s+(.*)$/.exec(lines[at]);
  if (heading) return [{ kind: 'heading', level: heading[1].length, spans: spansOf(heading[2]) }, at + 1];
  const bullet = /^\s*([-*+]|\d+[.)])\s+(.*)$/;
  if (bullet.test(lines[at])) {
    const items = [];
    let end = at;
    for (let found; end < lines.length && (found = bullet.exec(lines[end])); end += 1) items.push(spansOf(found[2]));
    return [{ kind: 'list', ordered: /^\s*\d/.test(lines[at]), items }, end];
  }
  const quote = /^>\s?(.*)$/;
  if (quote.test(lines[at])) {
    let end = at;
    const text = [];
    for (let found; end < lines.length && (found = quote.exec(lines[end])); end += 1) text.push(found[1]);
    return [{ kind: 'quote', spans: spansOf(text.join('\n')) }, end];
  }
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !FENCE.test(lines[end]) && !/^#{1,6}\s/.test(lines[end]) && !bullet.test(lines[end])) end += 1;
  return [{ kind: 'paragraph', spans: spansOf(lines.slice(at, end).join('\n')) }, end];
}

const SPAN = /(`{1,4})([^`][\s\S]{0,2000}?)\1|\*\*(\S[\s\S]{0,2000}?)\*\*|(?<![\w*])[*_](\S[^*_\n]{0,500}?)[*_](?![\w*])|!?\[([^[\]\n]{0,500})\]\(([^()\s]{1,2000})\)|(https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]])/g;

// Returns spans: a string, or {kind: 'code' | 'strong' | 'em' | 'link', text, href}.
export function spansOf(text) {
  const spans = [];
  let end = 0;
  for (const found of text.matchAll(SPAN)) {
    if (found.index > end) spans.push(text.slice(end, found.index));
    spans.push(spanOf(found));
    end = found.index + found[0].length;
  }
  if (end < text.length) spans.push(text.slice(end));
  return spans;
}

function spanOf([all, , code, strong, em, label, href, bare]) {
  if (code !== undefined) return { kind: 'code', text: code };
  if (strong !== undefined) return { kind: 'strong', text: strong };
  if (em !== undefined) return { kind: 'em', text: em };
  const target = safeHref(bare ?? href);
  return target ? { kind: 'link', text: label || bare || target, href: target } : all;
}

export function safeHref(href) {
  try {
    const url = new URL(href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
