// One thread: head, tabs, drawing, what waits, and the composer.
import { html, useEffect, useMemo, useRef, useState } from '../dom.js';
import * as api from '../api.js';
import { go, link } from '../router.js';
import { ThreadModel } from '../thread_model.js';
import { Button, Confirm, CopyButton, Dialog, Empty, Failure, Icon, JsonEditor, Loading, Status, Tabs, useAction, useLoad } from '../parts/basics.js';
import { JsonTree } from '../parts/json_tree.js';
import { Drawing } from '../parts/drawing.js';
import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { Pending } from './pending.js';
import { HistoryView } from './history.js';
import { RunsView } from './runs.js';
import { EventsView } from './events.js';
import { full, isEmpty } from '../think/format.js';
import { nodesDone } from '../think/nodes_done.js';

const FRAME_MS = 33;

// Gives the model of a thread, and draws again, at most every other frame, when it changes.
function useThread(id) {
  const model = useMemo(() => new ThreadModel(id), [id]);
  const [, draw] = useState(0);
  useEffect(() => {
    let asked = null;
    const stopWatching = model.watch(() => {
      asked ??= setTimeout(() => { asked = null; draw((number) => number + 1); }, FRAME_MS);
    });
    model.start();
    return () => { stopWatching(); clearTimeout(asked); model.stop(); };
  }, [model]);
  return model;
}

export function ThreadView({ id, tab }) {
  const model = useThread(id);
  const [action, setAction] = useState(null); // what the composer was asked to do: fork, edit
  if (model.error && !model.thread) return html`<section class="view"><${Back} /><${Failure} error=${model.error} retry=${() => model.refresh()} /></section>`;
  if (!model.thread) return html`<section class="view"><${Back} /><${Loading} what="Reading the thread" /></section>`;
  const talks = model.messages.length > 0;
  const tabs = [
    ...(talks ? [{ id: 'conversation', title: 'Conversation' }] : []),
    { id: 'state', title: 'State' },
    { id: 'history', title: 'History', count: model.history.length || null },
    { id: 'runs', title: 'Runs', count: model.runs.length || null },
    { id: 'events', title: 'Events', count: model.events.length || null },
  ];
  const current = tabs.some((found) => found.id === tab) ? tab : tabs[0].id;
  const shared = { model, setAction };
  return html`<section class="view thread" aria-label="Thread">
    <${Head} model=${model} />
    <div class="thread-body"><div class="thread-main">
      <${Tabs} label="Parts of the thread" tabs=${tabs} current=${current} href=${(name) => link('threads', id, name)} />
      <div class="tab-body">${{
        conversation: () => html`<${Conversation} ...${shared} />`,
        state: () => html`<${StateTab} ...${shared} />`,
        history: () => html`<${HistoryView} ...${shared} />`,
        runs: () => html`<${RunsView} ...${shared} />`,
        events: () => html`<${EventsView} ...${shared} />`,
      }[current]()}</div></div>
      <aside class="thread-side" aria-label="Now"><${Pending} model=${model} /><${GraphPanel} model=${model} /></aside></div>
    <${Composer} model=${model} action=${action} setAction=${setAction} /></section>`;
}

const Back = () => html`<a class="back" href=${link('threads')}><${Icon} name="back" />Threads</a>`;

function Head({ model }) {
  const { thread } = model;
  const [confirm, setConfirm] = useState(false);
  const [about, setAbout] = useState(false);
  const [copy, copying] = useAction(async () => {
    const made = await api.threads.copy(model.threadId);
    go('threads', made.thread_id);
  }, 'Copied the thread');
  const current = model.runs.find((run) => run.status === 'running' || run.status === 'pending');
  const [cancel, cancelling] = useAction(() => api.runs.cancel(model.threadId, current.run_id), 'Asked the run to stop');
  const remove = async () => { await api.threads.delete(model.threadId); go('threads'); };
  return html`<header class="view-head"><${Back} />
    <div class="thread-name"><h1><code title=${model.threadId}>${model.threadId}</code></h1><${CopyButton} text=${model.threadId} label="Copy the thread's id" /></div>
    <${Status} value=${thread.status} />${model.graphName && html`<span class="chip graph">${model.graphName}</span>`}
    <${Live} model=${model} /><span class="grow"></span>
    ${current && html`<${Button} label="Cancel run" icon="stop" danger busy=${cancelling} onClick=${cancel} />`}
    <${Button} label="Details" icon="edit" quiet onClick=${() => setAbout(true)} /><${Button} label="Duplicate" icon="copy" quiet busy=${copying} onClick=${copy} /><${Button} label="Delete thread" icon="trash" quiet iconOnly onClick=${() => setConfirm(true)} />
    ${confirm && html`<${Confirm} title="Delete this thread?" text="Its runs and its history go with it. This cannot be undone." label="Delete" act=${remove} close=${() => setConfirm(false)} />`}
    ${about && html`<${About} model=${model} close=${() => setAbout(false)} />`}</header>`;
}

function Live({ model }) {
  const text = { live: 'live', connecting: 'connecting', lost: 'reconnecting' }[model.live];
  return html`<span class=${`live is-${model.live}`} role="status">${text}</span>`;
}

function About({ model, close }) {
  const { thread } = model;
  const [given, setGiven] = useState({ value: thread.metadata, error: null });
  const [save, busy] = useAction(async () => {
    await api.threads.patch(model.threadId, { metadata: given.value ?? {} });
    await model.refresh();
    close();
  }, 'Saved');
  return html`<${Dialog} title="Thread" close=${close}><dl class="facts"><div><dt>Id</dt><dd><code>${thread.thread_id}</code></dd></div><div><dt>Created</dt><dd>${full(thread.created_at)}</dd></div><div><dt>Updated</dt><dd>${full(thread.updated_at)}</dd></div></dl>
    <${JsonEditor} label="Metadata" value=${thread.metadata} change=${(value, error) => setGiven({ value, error })} />
    <small class="dim">What is given is merged into the metadata; other keys stay.</small>
    <div class="actions"><${Button} label="Save" primary busy=${busy} disabled=${given.error} onClick=${save} /></div><//>`;
}

function StateTab({ model, setAction }) {
  const values = model.state?.values;
  if (isEmpty(values)) return html`<${Empty} title="No state yet">Send an input below.<//>`;
  return html`<div class="state"><div class="row-actions"><${Button} label="Edit state" icon="edit" onClick=${() => setAction({ kind: 'edit', state: model.state })} /><${CopyButton} text=${JSON.stringify(values, null, 2)} label="Copy the state as JSON" /></div>
    <${JsonTree} value=${values} open=${3} label="State" /></div>`;
}

function GraphPanel({ model }) {
  const [xray, setXray] = useState(false);
  const id = model.graphName ?? model.assistantId;
  const found = useLoad(async () => (id ? api.assistants.graph(id, xray) : null), [id, xray]);
  const wide = useRef(matchMedia('(min-width: 900px)').matches);
  if (!id) return null;
  return html`<details class="card panel" open=${wide.current}><summary><h2>Graph</h2><span class="grow"></span>
    <label class="check"><input type="checkbox" checked=${xray} onChange=${(event) => setXray(event.target.checked)} />subgraphs</label></summary>
    ${found.value ? html`<${Drawing} graph=${found.value} running=${model.litNodes} next=${new Set(model.state?.next ?? [])} failed=${new Set((model.state?.tasks ?? []).filter((task) => task.error).map((task) => task.name))} done=${nodesDone(model)} />`
      : found.error ? html`<p class="dim pad">No drawing: ${found.error.message}</p>` : html`<${Loading} what="Drawing" />`}</details>`;
}
