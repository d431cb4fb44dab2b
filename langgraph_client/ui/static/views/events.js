// The raw events of a thread, as they come.
import { html, useMemo, useState } from '../dom.js';
import { Button, Empty, useAction } from '../parts/basics.js';
import { JsonTree } from '../parts/json_tree.js';
import { preview } from '../think/format.js';
import { timeOf } from '../think/waterfall.js';

const MOST = 200;

export function EventsView({ model }) {
  const [filter, setFilter] = useState('');
  const [held, setHeld] = useState(null);
  const all = held ?? model.events;
  const fitting = filter ? all.filter((event) => event.event.startsWith(filter)) : all;
  const kinds = [...new Set(all.map((event) => event.event.split('|')[0]))].sort();
  const [save] = useAction(async () => {
    const url = URL.createObjectURL(new Blob(all.map((event) => `${JSON.stringify({ id: event.id, event: event.event, data: event.data })}\n`), { type: 'application/jsonl' }));
    Object.assign(document.createElement('a'), { href: url, download: `${model.threadId}.jsonl` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
  if (!model.events.length) return html`<${Empty} title="No events yet">Events show here as they come; those of earlier runs if the runs were resumable.<//>`;
  return html`<div class="events"><div class="row-actions"><select aria-label="Kind of event" value=${filter} onChange=${(event) => setFilter(event.target.value)}><option value="">all kinds</option>${kinds.map((kind) => html`<option key=${kind}>${kind}</option>`)}</select>
      <${Button} label=${held ? 'Go on' : 'Hold'} icon=${held ? 'play' : 'stop'} quiet onClick=${() => setHeld(held ? null : [...model.events])} /><${Button} label="Save as JSON lines" icon="copy" quiet onClick=${save} />
      ${model.dropped > 0 && html`<span class="dim">${model.dropped} older ones were dropped</span>`}</div>
    <ol class="event-list" aria-label="Events, newest first">${fitting.slice(-MOST).reverse().map((event) => html`<${Event} key=${event.number} event=${event} />`)}</ol>
    ${fitting.length > MOST && html`<p class="dim">${fitting.length - MOST} older ones are in the file that "Save" writes.</p>`}</div>`;
}

function Event({ event }) {
  const [open, setOpen] = useState(false);
  const [mode, ...namespace] = event.event.split('|');
  const line = useMemo(() => preview(event.data, 160), [event]);
  const time = new Date(timeOf(event)).toISOString().slice(11, 23);
  return html`<li><details open=${open} onToggle=${(change) => setOpen(change.currentTarget.open)}><summary><time class="dim">${time}</time><span class=${`event-name is-${mode.split('/')[0]}`}>${mode}</span>${namespace.length > 0 && html`<span class="chip">${namespace.map((part) => part.split(':')[0]).join(' › ')}</span>`}<span class="row-sub">${line}</span></summary>
    ${open && html`<div class="dim id">${event.id ?? 'no id'}</div><${JsonTree} value=${event.data} />`}</details></li>`;
}
