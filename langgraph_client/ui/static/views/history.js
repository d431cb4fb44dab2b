// The checkpoints of a thread as a tree with forks; what one changed, or how two differ.
import { html, useMemo, useState } from '../dom.js';
import { Button, CopyButton, Empty, Status, useAction } from '../parts/basics.js';
import { JsonTree } from '../parts/json_tree.js';
import { diff, pathText } from '../think/diff.js';
import { clock, full, preview, shortId } from '../think/format.js';
import { forksIn, treeOf } from '../think/history_tree.js';

const LANE = 18;
const ROW = 44;

export function HistoryView({ model, setAction }) {
  const { rows, width } = useMemo(() => treeOf(model.history), [model.history]);
  const [chosen, setChosen] = useState(null);
  const [other, setOther] = useState(null);
  const [more, loading] = useAction(() => model.loadMoreHistory());
  if (!rows.length) return html`<${Empty} title="No history yet">Every step of a run leaves a checkpoint here.<//>`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const current = byId.get(chosen) ?? rows[0];
  const compared = byId.get(other) ?? null;
  const forks = forksIn(rows);
  return html`<div class="history"><div class="history-list"><p class="dim">${rows.length} checkpoints${forks ? `, ${forks} ${forks === 1 ? 'fork' : 'forks'}` : ''}</p>
      <ol aria-label="Checkpoints, newest first">${rows.map((row, at) => html`<${Row} key=${row.id} row=${row} width=${width} first=${at === 0} current=${row === current} compared=${row === compared} choose=${() => { setChosen(row.id); showDetail(); }} />`)}</ol>
      ${model.moreHistory && html`<${Button} label="Older ones" busy=${loading} onClick=${more} />`}</div>
    <${Checkpoint} row=${current} byId=${byId} compared=${compared} setOther=${setOther} rows=${rows} setAction=${setAction} /></div>`;
}

// On a narrow screen the checkpoint is below the list.
function showDetail() {
  if (matchMedia('(min-width: 1001px)').matches) return;
  requestAnimationFrame(() => document.querySelector('.checkpoint-detail')?.scrollIntoView({ block: 'start' }));
}

function Row({ row, width, current, compared, choose, first }) {
  const { state } = row;
  const { source, step } = state.metadata ?? {};
  const names = (state.tasks ?? []).map((task) => task.name).join(', ');
  const failed = (state.tasks ?? []).some((task) => task.error);
  const waits = (state.tasks ?? []).some((task) => task.interrupts?.length);
  return html`<li><button type="button" data-row class=${`checkpoint ${current ? 'current' : ''} ${compared ? 'compared' : ''}`} aria-pressed=${current ? 'true' : 'false'} data-checkpoint=${row.id} onClick=${choose}>
    <${Lanes} row=${row} width=${width} kind=${failed ? 'failed' : waits ? 'waits' : source} />
    <span class="checkpoint-text"><span><b>${step ?? '?'}</b> ${names || (state.next?.length ? state.next.join(', ') : 'end')}</span><span class="dim">${source}${row.children.length > 1 ? ` · ${row.children.length} branches` : ''} · ${clock(state.created_at)}</span></span>
    ${first && html`<span class="chip">latest</span>`}${failed && html`<span class="chip failed">failed</span>`}${waits && html`<span class="chip waiting">waits</span>`}</button></li>`;
}

// The lines of the tree beside a row: lanes that pass, the row's own, and those that join it.
function Lanes({ row, width, kind }) {
  const x = (lane) => LANE / 2 + lane * LANE;
  const middle = ROW / 2;
  const { parent, lane } = row;
  return html`<svg class="lanes" width=${width * LANE} height=${ROW} aria-hidden="true">
    ${row.above.map((at) => html`<path d=${`M${x(at)} 0V${ROW}`} />`)}
    ${row.fromAbove && html`<path d=${`M${x(lane)} 0V${middle}`} />`}${parent && html`<path d=${`M${x(lane)} ${middle}V${ROW}`} />`}
    ${row.joins.map((at) => html`<path d=${`M${x(at)} 0C${x(at)} ${middle} ${x(lane)} ${middle * 0.4} ${x(lane)} ${middle}`} />`)}
    <circle class=${`is-${kind}`} cx=${x(lane)} cy=${middle} r="5" /></svg>`;
}

function Checkpoint({ row, rows, byId, compared, setOther, setAction }) {
  const { state } = row;
  const parent = byId.get(row.parent);
  const base = compared ?? parent;
  return html`<section class="checkpoint-detail card" aria-label="Checkpoint"><header><h2>Step ${state.metadata?.step ?? '?'}</h2><code class="dim" title=${row.id}>${shortId(row.id)}</code><${CopyButton} text=${row.id} label="Copy the checkpoint's id" /><time class="dim">${full(state.created_at)}</time></header>
    <div class="row-actions"><${Button} label="Fork from here" icon="fork" onClick=${() => setAction({ kind: 'fork', state })} /><${Button} label="Edit state here" icon="edit" onClick=${() => setAction({ kind: 'edit', state })} /></div>
    ${(state.tasks ?? []).length > 0 && html`<h3>Tasks</h3><ul class="tasks">${state.tasks.map((task) => html`<${Task} key=${task.id} task=${task} />`)}</ul>`}
    <h3>Changes <label class="compare">against <select aria-label="Compare with" value=${compared?.id ?? ''} onChange=${(event) => setOther(event.target.value || null)}><option value="">its parent</option>${rows.filter((found) => found !== row).map((found) => html`<option key=${found.id} value=${found.id}>step ${found.state.metadata?.step} · ${found.state.metadata?.source} · ${clock(found.state.created_at)} · ${shortId(found.id)}</option>`)}</select></label></h3>
    <${Changes} before=${base?.state.values ?? {}} after=${state.values ?? {}} />
    <h3>Values</h3><${JsonTree} value=${state.values ?? {}} open=${1} /><details><summary class="dim">Metadata</summary><${JsonTree} value=${state.metadata} /></details></section>`;
}

function Task({ task }) {
  const status = task.error ? 'error' : task.interrupts?.length ? 'interrupted' : task.result !== null && task.result !== undefined ? 'success' : 'pending';
  return html`<li><${Status} value=${status} /><b>${task.name}</b>${task.error && html`<pre class="trace" tabindex="0">${typeof task.error === 'string' ? task.error : JSON.stringify(task.error, null, 2)}</pre>`}
    ${(task.interrupts ?? []).map((found) => html`<${JsonTree} value=${found.value} open=${1} />`)}${task.result && html`<span class="row-sub">${preview(task.result, 100)}</span>`}</li>`;
}

export function Changes({ before, after }) {
  const changes = useMemo(() => diff(before, after), [before, after]);
  if (!changes.length) return html`<p class="dim">No difference.</p>`;
  return html`<ul class="changes">${changes.slice(0, 200).map((change) => html`<li key=${pathText(change.path)} class=${`is-${change.kind}`}><code>${pathText(change.path)}</code>
    ${'before' in change && html`<del><${JsonTree} value=${change.before} open=${0} /></del>`}${'after' in change && html`<ins><${JsonTree} value=${change.after} open=${0} /></ins>`}</li>`)}
    ${changes.length > 200 && html`<li class="dim">${changes.length - 200} more</li>`}</ul>`;
}
