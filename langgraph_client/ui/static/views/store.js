// The store: namespaces, and the items in them. Look, write, delete.
import { html, useState } from '../dom.js';
import * as api from '../api.js';
import { link } from '../router.js';
import { Button, Confirm, Dialog, Empty, Failure, Field, Icon, JsonEditor, Loading, useAction, useLoad } from '../parts/basics.js';
import { JsonTree } from '../parts/json_tree.js';
import { ago, full } from '../think/format.js';

const PAGE = 50;

export function StoreView({ route }) {
  const prefix = route.parts;
  const [query, setQuery] = useState('');
  const [page, setPage] = useState(0);
  const [editing, setEditing] = useState(null);
  const [removing, setRemoving] = useState(null);
  const key = JSON.stringify(prefix);
  const namespaces = useLoad((signal) => api.store.namespaces({ limit: 1000, ...(prefix.length ? { prefix } : {}) }, signal), [key]);
  const items = useLoad((signal) => api.store.search({ namespace_prefix: prefix, limit: PAGE, offset: page * PAGE, ...(query ? { query } : {}) }, signal), [key, query, page]);
  const reload = () => { namespaces.reload(); items.reload(); };
  const below = [...new Set((namespaces.value?.namespaces ?? []).filter((found) => found.length > prefix.length).map((found) => found[prefix.length]))].sort();
  return html`<section class="view" aria-label="Store"><header class="view-head"><h1>Store</h1><span class="grow"></span><${Button} label="New item" icon="plus" primary data-new onClick=${() => setEditing({ namespace: prefix })} /></header>
    <nav class="crumbs" aria-label="Namespace"><a href=${link('store')}>all</a>${prefix.map((name, at) => html`<span key=${at} class="dim">/</span><a href=${link('store', ...prefix.slice(0, at + 1))}>${name}</a>`)}</nav>
    ${below.length > 0 && html`<ul class="chips namespaces" aria-label="Namespaces">${below.map((name) => html`<li key=${name}><a data-row class="chip" href=${link('store', ...prefix, name)}>${name}</a></li>`)}</ul>`}
    <div class="filters"><label class="search"><${Icon} name="search" /><input type="search" data-search aria-label="Search items by meaning" placeholder="search by meaning, where the store has an index" onChange=${(event) => { setPage(0); setQuery(event.target.value); }} /></label></div>
    ${items.error ? html`<${Failure} error=${items.error} retry=${reload} />` : !items.value ? html`<${Loading} /> ` : !items.value.items.length ? html`<${Empty} title="Nothing here">Graphs write to the store with <code>store.put(namespace, key, value)</code>.<//>`
      : html`<ul class="items">${items.value.items.map((item) => html`<li key=${`${item.namespace.join('/')} ${item.key}`} class="card item" data-row tabindex="-1"><header><code class="dim">${item.namespace.join(' / ')}</code><b>${item.key}</b>${item.score != null && html`<span class="chip">${item.score.toFixed(3)}</span>`}<span class="grow"></span><time class="dim" title=${full(item.updated_at)}>${ago(item.updated_at)}</time><${Button} label=${`Edit ${item.key}`} icon="edit" iconOnly quiet onClick=${() => setEditing(item)} /><${Button} label=${`Delete ${item.key}`} icon="trash" iconOnly quiet onClick=${() => setRemoving(item)} /></header><${JsonTree} value=${item.value} open=${1} /></li>`)}</ul>`}
    ${items.value && (page > 0 || items.value.items.length === PAGE) && html`<nav class="pager" aria-label="Pages"><${Button} label="Previous" icon="back" disabled=${page === 0} onClick=${() => setPage(page - 1)} /><${Button} label="Next" icon="next" disabled=${items.value.items.length < PAGE} onClick=${() => setPage(page + 1)} /></nav>`}
    ${editing && html`<${Edit} item=${editing} close=${() => { setEditing(null); reload(); }} />`}
    ${removing && html`<${Confirm} title="Delete this item?" text=${`${removing.namespace.join(' / ')} / ${removing.key}`} label="Delete" act=${async () => { await api.store.delete({ namespace: removing.namespace, key: removing.key }); reload(); }} close=${() => setRemoving(null)} />`}</section>`;
}

function Edit({ item, close }) {
  const isNew = item.key === undefined;
  const [namespace, setNamespace] = useState(item.namespace.join('/'));
  const [key, setKey] = useState(item.key ?? '');
  const [value, setValue] = useState({ value: item.value ?? {} });
  const [save, busy] = useAction(async () => {
    await api.store.put({ namespace: isNew ? namespace.split('/').map((label) => label.trim()).filter(Boolean) : item.namespace, key, value: value.value ?? {} });
    close();
  }, 'Written');
  return html`<${Dialog} title=${isNew ? 'New item' : 'Edit the item'} close=${close}>
    <${Field} label="Namespace" hint="Labels, separated by /"><input disabled=${!isNew} value=${namespace} onInput=${(event) => setNamespace(event.target.value)} /><//><${Field} label="Key"><input disabled=${!isNew} value=${key} onInput=${(event) => setKey(event.target.value)} /><//>
    <${JsonEditor} label="Value" value=${item.value ?? {}} rows=${8} change=${(given, error) => setValue({ value: given, error })} />
    <div class="actions"><${Button} label="Save" primary busy=${busy} disabled=${value.error || !key || !namespace} onClick=${save} /></div><//>`;
}
