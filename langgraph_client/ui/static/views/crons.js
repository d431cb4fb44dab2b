// Crons: runs that the clock starts. Look, make, change, switch off, delete.
import { html, useState } from '../dom.js';
import * as api from '../api.js';
import { link } from '../router.js';
import { Button, Confirm, Dialog, Empty, Failure, Field, JsonEditor, Loading, useAction, useLoad } from '../parts/basics.js';
import { full, preview, shortId } from '../think/format.js';

export function CronsView() {
  const found = useLoad((signal) => Promise.all([api.crons.search({ limit: 1000 }, signal), api.assistants.search({ limit: 1000 }, signal)]), []);
  const [editing, setEditing] = useState(null);
  const [removing, setRemoving] = useState(null);
  const [crons, assistants] = found.value ?? [];
  const close = () => { setEditing(null); found.reload(); };
  return html`<section class="view" aria-label="Crons"><header class="view-head"><h1>Crons</h1>${crons && html`<span class="dim">${crons.length}</span>`}<span class="grow"></span><${Button} label="New cron" icon="plus" primary data-new disabled=${!assistants} onClick=${() => setEditing({})} /></header>
    ${found.error ? html`<${Failure} error=${found.error} retry=${found.reload} />` : !crons ? html`<${Loading} />` : !crons.length ? html`<${Empty} title="No crons">A cron runs an assistant again and again, by the clock.<//>`
      : html`<ul class="rows crons">${crons.map((cron) => html`<li key=${cron.cron_id}><${Cron} cron=${cron} assistants=${assistants} edit=${() => setEditing(cron)} remove=${() => setRemoving(cron)} reload=${found.reload} /></li>`)}</ul>`}
    ${editing && html`<${Edit} cron=${editing.cron_id ? editing : null} assistants=${assistants} close=${close} />`}
    ${removing && html`<${Confirm} title="Delete this cron?" text="Runs that it has started stay." label="Delete" act=${async () => { await api.crons.delete(removing.cron_id); found.reload(); }} close=${() => setRemoving(null)} />`}</section>`;
}

function Cron({ cron, assistants, edit, remove, reload }) {
  const assistant = assistants.find((known) => known.assistant_id === cron.assistant_id);
  const enabled = cron.enabled !== false;
  const [toggle, busy] = useAction(async () => { await api.crons.patch(cron.cron_id, { enabled: !enabled }); reload(); });
  return html`<div class="row-box" data-row tabindex="-1"><span class="row-main"><span class="row-title"><code>${cron.schedule}</code> ${cron.timezone ?? 'UTC'}</span><span class="row-sub">${preview(cron.payload?.input ?? null, 100)}</span>
      <span class="chips"><span class="chip graph">${assistant?.graph_id ?? shortId(cron.assistant_id)}</span>${cron.thread_id && html`<a class="chip" href=${link('threads', cron.thread_id)}>thread ${shortId(cron.thread_id)}</a>`}${!enabled && html`<span class="chip waiting">off</span>`}</span></span>
    <span class="row-side"><time class="dim">${enabled ? `next ${full(cron.next_run_date)}` : 'off'}</time><span class="row-actions"><${Button} label=${enabled ? 'Switch off' : 'Switch on'} busy=${busy} onClick=${toggle} /><${Button} label="Edit cron" icon="edit" iconOnly quiet onClick=${edit} /><${Button} label="Delete cron" icon="trash" iconOnly quiet onClick=${remove} /></span></span></div>`;
}

function Edit({ cron, assistants, close }) {
  const [assistant, setAssistant] = useState(cron?.assistant_id ?? assistants[0]?.assistant_id);
  const [schedule, setSchedule] = useState(cron?.schedule ?? '0 9 * * *');
  const [timezone, setTimezone] = useState(cron?.timezone ?? '');
  const [thread, setThread] = useState('');
  const [input, setInput] = useState({ value: cron?.payload?.input ?? {} });
  const [save, busy] = useAction(async () => {
    const body = { schedule, input: input.value ?? {}, ...(timezone ? { timezone } : {}) };
    if (cron) await api.crons.patch(cron.cron_id, body);
    else await api.crons.create({ ...body, assistant_id: assistant }, thread.trim() || null);
    close();
  }, 'Saved');
  return html`<${Dialog} title=${cron ? 'Edit the cron' : 'New cron'} close=${close}>
    ${!cron && html`<${Field} label="Assistant"><select value=${assistant} onChange=${(event) => setAssistant(event.target.value)}>${assistants.map((known) => html`<option key=${known.assistant_id} value=${known.assistant_id}>${known.name === 'Untitled' ? known.graph_id : known.name}</option>`)}</select><//>
      <${Field} label="Thread" hint="Left out, each run has a thread of its own."><input value=${thread} placeholder="id of a thread" onInput=${(event) => setThread(event.target.value)} /><//>`}
    <${Field} label="Schedule" hint="Minute, hour, day of the month, month, day of the week."><input class="code" required value=${schedule} onInput=${(event) => setSchedule(event.target.value)} /><//>
    <${Field} label="Timezone" hint="Such as Europe/Berlin; UTC where it is left out."><input value=${timezone} onInput=${(event) => setTimezone(event.target.value.trim())} /><//>
    <${JsonEditor} label="Input" value=${cron?.payload?.input ?? {}} rows=${5} change=${(value, error) => setInput({ value, error })} />
    <div class="actions"><${Button} label="Save" primary busy=${busy} disabled=${input.error || !schedule} onClick=${save} /></div><//>`;
}
