// Draws what `think/markdown.js` has read, as elements: never as HTML.
import { html, useMemo, useState } from '../dom.js';
import { blocksOf } from '../think/markdown.js';
import { CopyButton } from './basics.js';

const MOST = 20_000;

export function Markdown({ text }) {
  const [whole, setWhole] = useState(false);
  const cut = text.length > MOST && !whole;
  // The same elements for the same text: a conversation is drawn again with each token.
  const blocks = useMemo(() => blocksOf(cut ? text.slice(0, MOST) : text).map(Block), [text, cut]);
  return html`<div class="prose">${blocks}
    ${cut && html`<button class="link" type="button" onClick=${() => setWhole(true)}>Show ${text.length - MOST} more characters</button>`}</div>`;
}

function Block(block) {
  switch (block.kind) {
    case 'code': return html`<figure class="code-block"><figcaption><span class="dim">${block.language || 'text'}</span><${CopyButton} text=${block.text} label="Copy code" /></figcaption><pre tabindex="0"><code>${block.text}</code></pre></figure>`;
    case 'heading': return html`<p class="heading" role="heading" aria-level=${Math.min(block.level + 2, 6)}>${block.spans.map(Span)}</p>`;
    case 'list': return html`<${block.ordered ? 'ol' : 'ul'}>${block.items.map((spans) => html`<li>${spans.map(Span)}</li>`)}<//>`;
    case 'quote': return html`<blockquote>${block.spans.map(Span)}</blockquote>`;
    default: return html`<p>${block.spans.map(Span)}</p>`;
  }
}

function Span(span) {
  if (typeof span === 'string') return span;
  if (span.kind === 'link') return html`<a href=${span.href} target="_blank" rel="noopener noreferrer nofollow">${span.text}</a>`;
  return html`<${span.kind}>${span.text}<//>`;
}
