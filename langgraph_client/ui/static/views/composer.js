// Where an input is written: a form out of the graph's input schema, or JSON. The same place is
// used to go on from an older checkpoint, and to edit a state.
import { html, useState } from '../dom.js';
import * as api from '../api.js';
import { Button, CopyButton, Dialog, JsonEditor, useAction, useLoad } from '../parts/basics.js';
import { pointOf, startRun, updateState } from '../actions.js';
import { fieldsOf, valueOf } from '../think/schema.js';
import { pythonOf } from '../think/python.js';
import { shortId } from '../think/format.js';

export function Composer({ model, action, setAction }) {
  const [assistant, setAssistant] = useState(null);
  const known = useLoad((signal) => api.assistants.search({ limit: 200 }, signal), []);
  const fitting = (known.value ?? []).filter((found) => !model.graphName || found.graph_id === model.graphName);
  const chosen = fitting.find((found) => found.assistant_id === assistant) ?? fitting.find((found) => found.assistant_id === model.assistantId) ?? fitting[0];
  const shared = { model, chosen, fitting, setAssistant, close: () => setAction(null) };
  return html`<div class="composer"><${InputForm} key=${chosen?.assistant_id} ...${shared} fork=${action?.kind === 'fork' ? action.state : null} />
    ${action?.kind === 'edit' && html`<${EditState} ...${shared} state=${action.state} />`}</div>`;
}

function InputForm({ model, chosen, fitting, setAssistant, fork, close }) {
  const schemas = useLoad(async () => (chosen ? api.assistants.schemas(chosen.assistant_id) : null), [chosen?.assistant_id]);
  const fields = fieldsOf(schemas.value?.input_schema);
  const [asJson, setAsJson] = useState(false);
  const [given, setGiven] = useState({});
  const [json, setJson] = useState({ value: {}, error: null });
  const [python, setPython] = useState(null);
  const [round, setRound] = useState(0);
  const useForm = fields && !asJson;
  const [open, setOpen] = useState(null); // None chosen: open, except for long forms on small screens.
  const isOpen = open ?? (fields?.length <= 1 || matchMedia('(min-width: 761px)').matches);
  const checkpoint = fork?.checkpoint ?? null;
  const input = () => (useForm ? inputOf(fields, given) : json.value);
  const start = async (what) => {
    await startRun(model, { ...what, assistant_id: chosen?.assistant_id, ...(checkpoint ? { checkpoint: pointOf(checkpoint) } : {}) });
    setGiven({});
    setRound(round + 1);
    close();
  };
  const [send, sending] = useAction(async () => start({ input: input() }));
  const [goOn, going] = useAction(async () => start({ input: null }));
  const [show] = useAction(async () => setPython(pythonOf(whereOf(model, chosen), { kind: 'input', input: input(), checkpoint })));
  const keys = (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(); } };
  return html`<form aria-label="Input" onSubmit=${(event) => { event.preventDefault(); send(); }} onKeyDown=${keys}>
    ${fork && html`<div class="banner fork-banner">Going on from checkpoint <code>${shortId(checkpoint.checkpoint_id)}</code> (step ${fork.metadata?.step})<span class="grow"></span><${Button} label="Run on from here" icon="play" busy=${going} onClick=${goOn} /><${Button} label="Back to the latest" icon="close" quiet onClick=${close} /></div>`}
    <div class="composer-fields" hidden=${!isOpen}>${useForm ? fields.map((field) => html`<${FormField} key=${`${field.name} ${round}`} field=${field} value=${given[field.name]} change=${(value) => setGiven((old) => ({ ...old, [field.name]: value }))} />`)
      : html`<${JsonEditor} key=${round} label="Input as JSON" value=${{}} rows=${3} change=${(value, error) => setJson({ value: value ?? null, error })} />`}</div>
    <div class="composer-foot">${fitting.length > 1 && html`<select aria-label="Assistant" value=${chosen?.assistant_id} onChange=${(event) => setAssistant(event.target.value)}>${fitting.map((found) => html`<option key=${found.assistant_id} value=${found.assistant_id}>${found.name === 'Untitled' ? found.graph_id : found.name}</option>`)}</select>`}
      <${Button} label=${isOpen ? 'Close the input' : 'Write an input'} icon=${isOpen ? 'down' : 'edit'} iconOnly=${isOpen} quiet=${isOpen} aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)} />
      ${isOpen && fields && html`<label class="check"><input type="checkbox" checked=${asJson} onChange=${(event) => setAsJson(event.target.checked)} />JSON</label>`}
      <span class="grow"></span>${isOpen && html`<${Button} label="Copy as Python" icon="copy" quiet onClick=${show} /><${Button} label="Send" icon="play" primary type="submit" busy=${sending} disabled=${!chosen || (!useForm && json.error)} />`}</div>
    ${python && html`<${Python} code=${python} close=${() => setPython(null)} />`}</form>`;
}

const whereOf = (model, chosen) => ({ graph: isDefault(chosen) ? chosen.graph_id : chosen?.assistant_id ?? model.assistantId ?? 'agent', url: api.serverUrl(), threadId: model.threadId });
const isDefault = (chosen) => chosen?.metadata?.created_by === 'system';

function inputOf(fields, given) {
  const input = {};
  for (const field of fields) {
    const value = valueOf(field, given[field.name]);
    if (value !== undefined) input[field.name] = value;
  }
  return input;
}

function FormField({ field, value, change }) {
  const edit = (event) => change(event.target.type === 'checkbox' ? event.target.checked : event.target.value);
  const shared = { value: value ?? '', onInput: edit, 'aria-label': field.title, placeholder: field.description || undefined };
  const label = html`<span>${field.title}${field.required ? html`<b title="required"> *</b>` : ''}${field.kind === 'json' ? html` <small class="dim">JSON</small>` : ''}</span>`;
  switch (field.kind) {
    case 'boolean': return html`<label class="check"><input type="checkbox" checked=${value ?? false} onChange=${edit} />${field.title}</label>`;
    case 'choice': return html`<label class="field">${label}<select ...${shared}><option value=""></option>${field.options.map((option) => html`<option>${String(option)}</option>`)}</select></label>`;
    case 'messages': return html`<label class="field wide"><textarea rows="2" ...${shared} placeholder="Write a message" /></label>`;
    case 'string': return html`<label class="field">${label}<textarea rows="1" ...${shared} /></label>`;
    case 'json': return html`<label class="field">${label}<textarea class="code" rows="1" spellcheck=${false} ...${shared} /></label>`;
    default: return html`<label class="field">${label}<input inputmode="decimal" ...${shared} /></label>`;
  }
}

export function Python({ code, close }) {
  return html`<${Dialog} title="The same in Python" wide close=${close}><figure class="code-block"><figcaption><span class="dim">python</span><${CopyButton} text=${code} label="Copy code" /></figcaption><pre tabindex="0" data-python><code>${code}</code></pre></figure><//>`;
}

// Writes values as a node, at the latest checkpoint or at an older one, which forks.
function EditState({ model, chosen, state, close }) {
  const { messages, ...values } = state.values ?? {};
  const [given, setGiven] = useState({ value: values, error: null });
  const [asNode, setAsNode] = useState('');
  const [python, setPython] = useState(null);
  const drawing = useLoad(async () => (model.graphName ? api.assistants.graph(model.graphName) : null), [model.graphName]);
  const nodes = (drawing.value?.nodes ?? []).map((node) => node.id).filter((id) => !/__(start|end)__/.test(id));
  const latest = state.checkpoint?.checkpoint_id === model.state?.checkpoint?.checkpoint_id;
  const checkpoint = latest ? null : state.checkpoint;
  const write = async (andRun) => {
    await updateState(model, { values: given.value ?? null, asNode, checkpoint });
    if (andRun) await startRun(model, { input: null, assistant_id: chosen?.assistant_id });
    close();
  };
  const [save, saving] = useAction(() => write(false), 'State written');
  const [run, running] = useAction(() => write(true), 'State written');
  const code = () => pythonOf(whereOf(model, chosen), { kind: 'update', values: given.value, asNode, checkpoint, goOn: true });
  return html`<${Dialog} title=${latest ? 'Edit the state' : `Edit the state at step ${state.metadata?.step}`} wide close=${close}>
    <${JsonEditor} label="Values to write" value=${values} rows=${12} change=${(value, error) => setGiven({ value, error })} />
    <small class="dim">Values go through the reducers of the graph: a list that is added to grows. Leave out what is to stay.${messages ? ' Messages are left out here; write {"messages": […]} to add some.' : ''}${latest ? '' : ' This makes a fork; the history stays.'}</small>
    <label class="field"><span>As node</span><select value=${asNode} onChange=${(event) => setAsNode(event.target.value)}><option value="">the one that ran last</option>${nodes.map((id) => html`<option key=${id}>${id}</option>`)}</select></label>
    <div class="actions"><${Button} label="Copy as Python" icon="copy" quiet disabled=${given.error} onClick=${() => setPython(code())} /><${Button} label="Write" busy=${saving} disabled=${given.error} onClick=${save} /><${Button} label="Write and go on" icon="play" primary busy=${running} disabled=${given.error} onClick=${run} /></div>
    ${python && html`<${Python} code=${python} close=${() => setPython(null)} />`}<//>`;
}
