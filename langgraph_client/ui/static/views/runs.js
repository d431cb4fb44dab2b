// The runs of a thread, and when which node of each ran.
import { html, useMemo, useState } from '../dom.js';
import * as api from '../api.js';
import { Button, Empty, Status, useAction } from '../parts/basics.js';
import { JsonTree } from '../parts/json_tree.js';
import { startRun } from '../actions.js';
import { clock, duration, full, preview, shortId } from '../think/format.js';
import { barsOfHistory } from '../think/waterfall.js';
import { pythonOf } from '../think/python.js';
import { Python } from './composer.js';

export function RunsView({ model }) {
  const fromHistory = useMemo(() => barsOfHistory(model.history), [model.history]);
  const fromEvents = model.barsByRun;
  if (!model.runs.length) return html`<${Empty} title="No runs yet">Send an input below.<//>`;
  return html`<ul class="runs">${model.runs.map((run) => html`<li key=${run.run_id}><${Run} model=${model} run=${run} bars=${fromEvents.get(run.run_id) ?? fromHistory.get(run.run_id) ?? []} /></li>`)}</ul>`;
}

const isOver = (run) => run.status !== 'running' && run.status !== 'pending';

function Run({ model, run, bars }) {
  const [open, setOpen] = useState(false);
  const [python, setPython] = useState(null);
  const over = isOver(run);
  const given = run.kwargs ?? {};
  const command = given.command && Object.fromEntries(Object.entries(given.command).filter(([, value]) => value !== null));
  const what = command ? { command } : { input: given.input ?? null };
  const [again, starting] = useAction(() => startRun(model, { ...what, assistant_id: run.assistant_id, ...(given.config?.configurable?.checkpoint_id ? { checkpoint: { checkpoint_id: given.config.configurable.checkpoint_id, checkpoint_ns: '' } } : {}) }));
  const [cancel, cancelling] = useAction(() => api.runs.cancel(model.threadId, run.run_id), 'Asked the run to stop');
  const code = () => pythonOf({ graph: model.graphName ?? run.assistant_id, url: api.serverUrl(), threadId: model.threadId }, what.command ? { kind: 'command', command: what.command } : what.input === null ? { kind: 'continue' } : { kind: 'input', input: what.input });
  const ends = [...bars.map((bar) => bar.to ?? Date.now()), over ? Date.parse(run.updated_at) : Date.now()];
  return html`<article class="run card"><header><${Status} value=${run.status} /><code title=${run.run_id}>${shortId(run.run_id)}</code><time class="dim" title=${full(run.created_at)}>${clock(run.created_at)}</time><b data-duration>${duration(Math.max(...ends) - Date.parse(run.created_at))}</b><span class="grow"></span>
      ${over ? html`<${Button} label="Run again" icon="redo" quiet busy=${starting} onClick=${again} />` : html`<${Button} label="Cancel" icon="stop" danger busy=${cancelling} onClick=${cancel} />`}<${Button} label="Copy as Python" icon="copy" iconOnly quiet onClick=${() => setPython(code())} /></header>
    <p class="row-sub">${what.command ? preview(what.command, 140) : what.input === null ? 'goes on from the state' : preview(what.input, 140)}</p>
    <${Waterfall} run=${run} bars=${bars} end=${Math.max(...ends)} />
    <details open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}><summary class="dim">Everything about this run</summary>${open && html`<${JsonTree} value=${run} open=${1} />`}</details>
    ${python && html`<${Python} code=${python} close=${() => setPython(null)} />`}</article>`;
}

function Waterfall({ run, bars, end }) {
  if (!bars.length) return null;
  const start = Math.min(Date.parse(run.created_at), ...bars.map((bar) => bar.from));
  const span = Math.max(end - start, 1);
  const left = (at) => `${(100 * (at - start)) / span}%`;
  return html`<ol class="waterfall" aria-label="Nodes of the run by time">${bars.map((bar) => {
    const to = bar.to ?? (isOver(run) ? bar.from : Date.now());
    const kind = bar.error ? 'failed' : bar.interrupts ? 'waits' : bar.to === null && !isOver(run) ? 'running' : 'done';
    return html`<li key=${bar.id} class=${`is-${kind}`}><span class="bar-name" title=${bar.name}>${[...bar.namespace.map((part) => part.split(':')[0]), bar.name].join(' › ')}</span>
      <span class="bar-track"><i style=${{ left: left(bar.from), width: `max(3px, ${(100 * (to - bar.from)) / span}%)` }}></i></span>
      <span class="bar-time dim">${kind === 'running' ? '…' : duration(to - bar.from)}${bar.error ? ' failed' : bar.interrupts ? ' waits' : ''}</span></li>`;
  })}</ol>`;
}
