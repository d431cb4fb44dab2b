// Any JSON as a tree that opens and closes. Long texts and long lists are cut until asked for.
import { html, useState } from '../dom.js';
import { isNested } from '../think/json.js';

const MOST_ITEMS = 100;
const MOST_TEXT = 400;

export function JsonTree({ value, open = 2, label }) {
  return html`<div class="json" role=${label ? 'group' : undefined} aria-label=${label}><${Node} value=${value} open=${open} /></div>`;
}

function Node({ name, value, open }) {
  if (!isNested(value)) return html`<div class="leaf">${Key(name)}<${Leaf} value=${value} /></div>`;
  return html`<${Branch} name=${name} value=${value} open=${open} />`;
}

const Key = (name) => (name === undefined ? '' : html`<span class="key">${name}</span><span class="dim">: </span>`);

function Branch({ name, value, open }) {
  const [isOpen, setOpen] = useState(open > 0);
  const [most, setMost] = useState(MOST_ITEMS);
  const list = Array.isArray(value);
  const names = Object.keys(value);
  const size = list ? `[${names.length}]` : `{${names.length}}`;
  if (!names.length) return html`<div class="leaf">${Key(name)}<span class="dim">${list ? '[ ]' : '{ }'}</span></div>`;
  return html`<details open=${isOpen} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${name === undefined ? '' : html`<span class="key">${name}</span> `}<span class="dim">${size}${isOpen ? '' : ` ${hint(value)}`}</span></summary>
    ${isOpen && html`<div class="inner">${names.slice(0, most).map((key) => html`<${Node} key=${key} name=${key} value=${value[key]} open=${open - 1} />`)}
      ${names.length > most && html`<button class="link" type="button" onClick=${() => setMost(most * 10)}>${names.length - most} more</button>`}</div>`}
  </details>`;
}

function Leaf({ value }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== 'string') return html`<span class=${`value is-${kindOf(value)}`}>${String(value)}</span>`;
  const cut = value.length > MOST_TEXT && !whole;
  return html`<span class="value is-string">${cut ? value.slice(0, MOST_TEXT) : value}</span>${cut && html`<button class="link" type="button" onClick=${() => setWhole(true)}>… ${value.length - MOST_TEXT} more characters</button>`}`;
}

const kindOf = (value) => (value === null ? 'null' : value instanceof Number ? 'number' : typeof value);

function hint(value) {
  if (Array.isArray(value)) return '';
  const kind = value.type ?? value.name ?? value.id;
  return typeof kind === 'string' ? kind.slice(0, 40) : Object.keys(value).slice(0, 3).join(', ');
}
