// All threads: search, pages, live status.
import { html, useEffect, useRef, useState } from '../dom.js';
import * as api from '../api.js';
import { go, link, replaceQuery } from '../router.js';
import { Button, Dialog, Empty, Failure, Field, Icon, JsonEditor, Loading, Status, useAction } from '../parts/basics.js';
import { ago, full, isEmpty, preview, shortId, withoutMarks } from '../think/format.js';
import { conditionsOf } from '../think/search.js';

const PAGE = 25;
const LIVE_MS = 2000;
const FIELDS = ['thread_id', 'created_at', 'updated_at', 'metadata', 'status', 'interrupts'];
const EXTRACT = { last: 'values.messages[-1].content', first: 'values.messages[0].content' };

export function ThreadsView({ route }) {
  const [text, setText] = useState(route.query.get('q') ?? '');
  const [status, setStatus] = useState(route.query.get('status') ?? '');
  const [page, setPage] = useState(Number(route.query.get('page')) || 0);
  const [adding, setAdding] = useState(false);
  const conditions = conditionsOf(text);
  const found = useLiveThreads(conditions, status, page);
  useEffect(() => replaceQuery({ q: text, status, page: page || '' }), [text, status, page]);
  const restart = (set) => (event) => { setPage(0); set(event.target.value); };
  return html`<section class="view" aria-label="Threads">
    <header class="view-head"><h1>Threads</h1>${found.total !== null && html`<span class="dim" data-total>${found.total.toLocaleString()}</span>`}<span class="grow"></span>
      <${Button} label="New thread" icon="plus" primary data-new onClick=${() => setAdding(true)} /></header>
    <div class="filters"><label class="search"><${Icon} name="search" /><input type="search" data-search aria-label="Search threads" placeholder="id, user=ada, values.topic=cats, {JSON}" value=${text} onInput=${restart(setText)} /></label>
      <select aria-label="Status" value=${status} onChange=${restart(setStatus)}><option value="">any status</option>${['idle', 'busy', 'interrupted', 'error'].map((name) => html`<option>${name}</option>`)}</select></div>
    ${conditions.error && html`<p class="wrong" role="alert">${conditions.error}</p>`}
    <${Rows} found=${found} filtered=${text || status} />
    <${Pager} page=${page} setPage=${setPage} found=${found} />
    ${adding && html`<${NewThread} close=${() => setAdding(false)} />`}</section>`;
}

// The threads of one page, asked for again every two seconds while the page is looked at.
function useLiveThreads(conditions, status, page) {
  const [found, setFound] = useState({ rows: null, total: null, error: null });
  const key = JSON.stringify([conditions.body, status, page]);
  const latest = useRef(key);
  latest.current = key;
  useEffect(() => {
    if (conditions.error) return undefined;
    const leaving = new AbortController();
    const filter = { ...conditions.body, ...(status ? { status } : {}) };
    const body = { ...filter, limit: PAGE, offset: page * PAGE, select: FIELDS, extract: EXTRACT };
    const load = async (withTotal) => {
      try {
        const [rows, total] = await Promise.all([
          api.threads.search(body, leaving.signal),
          withTotal ? api.threads.count(filterOfCount(filter), leaving.signal) : undefined,
        ]);
        if (!leaving.signal.aborted) setFound((old) => ({ rows, total: total ?? old.total, error: null }));
      } catch (error) {
        if (!leaving.signal.aborted) setFound((old) => ({ ...old, error }));
      }
    };
    const first = setTimeout(() => load(true), page || found.rows === null ? 0 : 150);
    let rounds = 0;
    const timer = setInterval(() => { rounds += 1; if (!document.hidden) load(rounds % 5 === 0); }, LIVE_MS);
    return () => { leaving.abort(); clearTimeout(first); clearInterval(timer); };
  }, [key]);
  return found;
}

const filterOfCount = ({ ids, ...filter }) => filter;

function Rows({ found, filtered }) {
  if (found.error && !found.rows) return html`<${Failure} error=${found.error} />`;
  if (!found.rows) return html`<${Loading} what="Reading the threads" />`;
  if (!found.rows.length && filtered) return html`<${Empty} title="No thread fits">Search by id, by metadata (<code>user=ada</code>) or by values (<code>values.topic=cats</code>).<//>`;
  if (!found.rows.length) return html`<${Empty} title="No threads yet">Start one here, or run a graph: <code>client.threads.create()</code>.<//>`;
  return html`${found.error && html`<p class="wrong" role="alert">${found.error.message}</p>`}<ul class=${`rows threads ${found.error ? 'stale' : ''}`}>${found.rows.map((thread) => html`<li key=${thread.thread_id}><${Row} thread=${thread} /></li>`)}</ul>`;
}

const HIDDEN = new Set(['graph_id', 'assistant_id', 'created_by', 'user_id', 'run_id', 'thread_id']);

function Row({ thread }) {
  const metadata = Object.entries(thread.metadata ?? {}).filter(([name, value]) => !HIDDEN.has(name) && !name.startsWith('langgraph_') && value !== '' && value !== null);
  const { first, last } = thread.extracted ?? {};
  const title = isEmpty(first) ? null : preview(withoutMarks(first), 90);
  const waiting = Object.values(thread.interrupts ?? {}).flat().length;
  return html`<a data-row href=${link('threads', thread.thread_id)}>
    <span class="row-main"><span class="row-title">${title ?? html`<code>${shortId(thread.thread_id)}</code>${!thread.metadata?.graph_id && html`<span class="dim"> no run yet</span>`}`}</span>
      ${!isEmpty(last) && last !== first && html`<span class="row-sub">${preview(withoutMarks(last), 140)}</span>`}
      <span class="chips">${thread.metadata?.graph_id && html`<span class="chip graph">${thread.metadata.graph_id}</span>`}${metadata.slice(0, 4).map(([name, value]) => html`<span key=${name} class="chip">${name}=${preview(value, 30)}</span>`)}${waiting > 0 && html`<span class="chip waiting">${waiting} waiting</span>`}</span></span>
    <span class="row-side"><${Status} value=${thread.status} />${title && html`<code class="dim">${shortId(thread.thread_id)}</code>`}<time class="dim" datetime=${thread.updated_at} title=${full(thread.updated_at)}>${ago(thread.updated_at)}</time></span></a>`;
}

function Pager({ page, setPage, found }) {
  if (!found.rows || (page === 0 && found.rows.length < PAGE)) return null;
  const from = page * PAGE + 1;
  return html`<nav class="pager" aria-label="Pages"><${Button} label="Previous" icon="back" disabled=${page === 0} onClick=${() => setPage(page - 1)} />
    <span class="dim">${found.rows.length ? `${from}–${from + found.rows.length - 1}` : ''}${found.total ? ` of ${found.total.toLocaleString()}` : ''}</span>
    <${Button} label="Next" icon="next" disabled=${found.rows.length < PAGE || (found.total !== null && from + PAGE > found.total)} onClick=${() => setPage(page + 1)} /></nav>`;
}

function NewThread({ close }) {
  const [graph, setGraph] = useState('');
  const [metadata, setMetadata] = useState({ value: {}, error: null });
  const [known, setKnown] = useState([]);
  useEffect(() => {
    api.assistants.search({ limit: 100 }).then((found) => {
      const names = [...new Set(found.map((assistant) => assistant.graph_id))].sort();
      setKnown(names);
      setGraph(names[0] ?? '');
    }, () => {});
  }, []);
  const [create, busy] = useAction(async () => {
    const thread = await api.threads.create({ metadata: { ...metadata.value, ...(graph ? { graph_id: graph } : {}) } });
    go('threads', thread.thread_id);
  });
  return html`<${Dialog} title="New thread" close=${close}>
    <${Field} label="Graph"><select value=${graph} onChange=${(event) => setGraph(event.target.value)}>${known.map((name) => html`<option key=${name}>${name}</option>`)}</select><//>
    <${JsonEditor} label="Metadata" value=${{}} rows=${4} change=${(value, error) => setMetadata({ value: value ?? {}, error })} />
    <div class="actions"><${Button} label="Create" primary busy=${busy} disabled=${metadata.error} onClick=${create} /></div><//>`;
}
