// Assistants: graphs with a configuration. Look, make, change, go to an older version.
import { html, useState } from '../dom.js';
import * as api from '../api.js';
import { go, link } from '../router.js';
import { Button, Confirm, CopyButton, Dialog, Empty, Failure, Field, Icon, JsonEditor, Loading, useAction, useLoad } from '../parts/basics.js';
import { Drawing } from '../parts/drawing.js';
import { JsonTree } from '../parts/json_tree.js';
import { ago, full, shortId } from '../think/format.js';

export function AssistantsView({ route }) {
  return route.parts[0] ? html`<${Assistant} key=${route.parts[0]} id=${route.parts[0]} />` : html`<${List} />`;
}

const nameOf = (assistant) => (assistant.name && assistant.name !== 'Untitled' ? assistant.name : assistant.graph_id);

function List() {
  const found = useLoad((signal) => api.assistants.search({ limit: 1000, sort_by: 'graph_id', sort_order: 'asc' }, signal), []);
  const [adding, setAdding] = useState(false);
  return html`<section class="view" aria-label="Assistants"><header class="view-head"><h1>Assistants</h1>${found.value && html`<span class="dim">${found.value.length}</span>`}<span class="grow"></span><${Button} label="New assistant" icon="plus" primary data-new onClick=${() => setAdding(true)} /></header>
    ${found.error ? html`<${Failure} error=${found.error} retry=${found.reload} />` : !found.value ? html`<${Loading} />` : !found.value.length ? html`<${Empty} title="No assistants" />`
      : html`<ul class="rows">${found.value.map((assistant) => html`<li key=${assistant.assistant_id}><a data-row href=${link('assistants', assistant.assistant_id)}><span class="row-main"><span class="row-title">${nameOf(assistant)}</span>${assistant.description && html`<span class="row-sub">${assistant.description}</span>`}<span class="chips"><span class="chip graph">${assistant.graph_id}</span>${assistant.metadata?.created_by === 'system' && html`<span class="chip">default</span>`}</span></span>
        <span class="row-side"><span class="dim">version ${assistant.version}</span><code class="dim">${shortId(assistant.assistant_id)}</code><time class="dim" title=${full(assistant.updated_at)}>${ago(assistant.updated_at)}</time></span></a></li>`)}</ul>`}
    ${adding && html`<${Edit} graphs=${[...new Set((found.value ?? []).map((assistant) => assistant.graph_id))]} close=${() => setAdding(false)} />`}</section>`;
}

function Assistant({ id }) {
  const found = useLoad(() => api.assistants.get(id), [id]);
  const drawing = useLoad(() => api.assistants.graph(id, true), [id]);
  const schemas = useLoad(() => api.assistants.schemas(id), [id]);
  const versions = useLoad(() => api.assistants.versions(id), [id, found.value?.version]);
  const [editing, setEditing] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [start] = useAction(async () => {
    const thread = await api.threads.create({ metadata: { graph_id: found.value.graph_id, assistant_id: id } });
    go('threads', thread.thread_id);
  });
  const back = html`<a class="back" href=${link('assistants')}><${Icon} name="back" />Assistants</a>`;
  if (found.error) return html`<section class="view">${back}<${Failure} error=${found.error} retry=${found.reload} /></section>`;
  if (!found.value) return html`<section class="view">${back}<${Loading} /></section>`;
  const assistant = found.value;
  return html`<section class="view" aria-label="Assistant"><header class="view-head">${back}<h1>${nameOf(assistant)}</h1><span class="chip graph">${assistant.graph_id}</span><span class="dim">version ${assistant.version}</span><${CopyButton} text=${id} label="Copy the assistant's id" /><span class="grow"></span>
      <${Button} label="New thread" icon="plus" primary onClick=${start} /><${Button} label="Edit" icon="edit" onClick=${() => setEditing(true)} /><${Button} label="Delete assistant" icon="trash" quiet iconOnly onClick=${() => setRemoving(true)} /></header>
    ${assistant.description && html`<p>${assistant.description}</p>`}
    <div class="cards"><div class="card"><h2>Graph</h2>${drawing.value ? html`<${Drawing} graph=${drawing.value} />` : drawing.error ? html`<p class="dim">No drawing: ${drawing.error.message}</p>` : html`<${Loading} what="Drawing" />`}</div>
      <div class="card"><h2>Configuration</h2><h3>Context</h3><${JsonTree} value=${assistant.context ?? {}} /><h3>Config</h3><${JsonTree} value=${assistant.config} /><h3>Metadata</h3><${JsonTree} value=${assistant.metadata} /></div>
      <div class="card"><h2>Versions</h2><${Versions} id=${id} versions=${versions} current=${assistant.version} reload=${found.reload} /></div>
      <div class="card"><h2>Schemas</h2>${schemas.value ? html`<${JsonTree} value=${schemas.value} open=${1} />` : schemas.error ? html`<p class="dim">${schemas.error.message}</p>` : html`<${Loading} />`}</div></div>
    ${editing && html`<${Edit} assistant=${assistant} close=${() => { setEditing(false); found.reload(); }} />`}
    ${removing && html`<${Confirm} title="Delete this assistant?" text="Its versions and crons go with it. This cannot be undone." label="Delete" act=${async () => { await api.assistants.delete(id); go('assistants'); }} close=${() => setRemoving(false)} />`}</section>`;
}

function Versions({ id, versions, current, reload }) {
  const [choose, busy] = useAction(async (version) => { await api.assistants.setLatest(id, version); reload(); });
  if (versions.error) return html`<p class="dim">${versions.error.message}</p>`;
  if (!versions.value) return html`<${Loading} />`;
  return html`<ul class="versions">${versions.value.map((version) => html`<li key=${version.version}><b>${version.version}</b><span>${version.name}</span><time class="dim">${full(version.created_at)}</time><span class="grow"></span>
    ${version.version === current ? html`<span class="chip">in use</span>` : html`<${Button} label="Use" busy=${busy} onClick=${() => choose(version.version)} />`}</li>`)}</ul>`;
}

function Edit({ assistant, graphs, close }) {
  const [name, setName] = useState(assistant?.name ?? '');
  const [description, setDescription] = useState(assistant?.description ?? '');
  const [graph, setGraph] = useState(assistant?.graph_id ?? graphs?.[0] ?? '');
  const [context, setContext] = useState({ value: assistant?.context ?? {} });
  const [metadata, setMetadata] = useState({ value: assistant?.metadata ?? {} });
  const [save, busy] = useAction(async () => {
    const body = { graph_id: graph, metadata: metadata.value ?? {}, ...(name ? { name } : {}), ...(description ? { description } : {}) };
    // The server refuses both of context and configurable, and loses the rest of a config for a context.
    const changed = JSON.stringify(context.value ?? {}) !== JSON.stringify(assistant?.context ?? {});
    if (changed) body.context = context.value ?? {};
    const made = assistant ? await api.assistants.patch(assistant.assistant_id, body) : await api.assistants.create(body);
    close();
    if (!assistant) go('assistants', made.assistant_id);
  }, assistant ? 'Saved as a new version' : undefined);
  return html`<${Dialog} title=${assistant ? 'Edit the assistant' : 'New assistant'} close=${close}>
    ${!assistant && html`<${Field} label="Graph"><select value=${graph} onChange=${(event) => setGraph(event.target.value)}>${graphs.map((known) => html`<option key=${known}>${known}</option>`)}</select><//>`}
    <${Field} label="Name"><input value=${name} onInput=${(event) => setName(event.target.value)} /><//><${Field} label="Description"><input value=${description} onInput=${(event) => setDescription(event.target.value)} /><//>
    <${JsonEditor} label="Context" value=${assistant?.context ?? {}} rows=${5} change=${(value, error) => setContext({ value, error })} /><${JsonEditor} label="Metadata" value=${assistant?.metadata ?? {}} rows=${4} change=${(value, error) => setMetadata({ value, error })} />
    <div class="actions"><${Button} label="Save" primary busy=${busy} disabled=${context.error || metadata.error} onClick=${save} /></div><//>`;
}
