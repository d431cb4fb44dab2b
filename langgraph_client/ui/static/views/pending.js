// What a thread waits for: interrupts to answer, tasks that are next, and what went wrong.
import { html, useState } from '../dom.js';
import { Button, Icon, useAction } from '../parts/basics.js';
import { JsonTree } from '../parts/json_tree.js';
import { startRun } from '../actions.js';
import { serverUrl } from '../api.js';
import { isNested, readJson } from '../think/json.js';
import { pythonOf } from '../think/python.js';
import { Python } from './composer.js';

export function Pending({ model }) {
  const { interrupts, state, thread } = model;
  const errors = errorsOf(model);
  const waiting = model.busy ? [] : (state?.tasks ?? []).filter((task) => !task.error && !task.interrupts?.length);
  return html`<div class="pending">
    ${errors.map(({ where, text, trace }) => html`<div class="card failed" role="alert"><h2><${Icon} name="alert" />${where}</h2><pre class="trace" tabindex="0">${text}</pre>${trace && html`<details><summary>Traceback</summary><pre class="trace" tabindex="0">${trace}</pre></details>`}</div>`)}
    ${!model.busy && interrupts.length > 0 && html`<${Interrupts} key=${interrupts.map((found) => found.id).join()} model=${model} interrupts=${interrupts} />`}
    ${waiting.length > 0 && !interrupts.length && !thread.error && html`<${Waiting} model=${model} tasks=${waiting} />`}</div>`;
}

function errorsOf({ state, thread, busy }) {
  if (busy) return [];
  const found = (state?.tasks ?? []).filter((task) => task.error).map((task) => ({ where: `${task.name} failed`, text: textOf(task.error), trace: traceOf(task.error) }));
  const { error } = thread;
  if (error && error.error !== 'UserInterrupt' && error.error !== 'UserRollback') {
    const text = textOf(error);
    const known = found.find((task) => task.text.includes(error.message ?? text));
    if (known) known.trace ??= traceOf(error);
    else found.unshift({ where: 'The run failed', text, trace: traceOf(error) });
  }
  return found;
}

const textOf = (error) => (typeof error === 'string' ? error : [error.error, error.message].filter(Boolean).join(': ') || JSON.stringify(error));
const traceOf = (error) => error?.traceback ?? error?.stacktrace ?? error?.stack ?? null;

function Waiting({ model, tasks }) {
  const [goOn, busy] = useAction(() => startRun(model, { input: null }));
  return html`<div class="card waits"><h2>Next</h2><p>${tasks.map((task) => html`<span key=${task.id} class="chip">${task.name}</span>`)}</p>
    <div class="actions"><${Button} label="Go on" icon="play" primary busy=${busy} onClick=${goOn} /></div></div>`;
}

function Interrupts({ model, interrupts }) {
  const [answers, setAnswers] = useState({});
  const given = interrupts.filter((found) => answers[found.id] !== undefined);
  const send = (resume) => startRun(model, { command: { resume } });
  const [python, setPython] = useState(null);
  const resume = () => {
    const values = Object.fromEntries(given.map((found) => [found.id, read(answers[found.id])]));
    return interrupts.length === 1 ? values[interrupts[0].id] : values;
  };
  const [answer, busy] = useAction(async () => send(resume()));
  const where = { graph: model.graphName ?? model.assistantId, url: serverUrl(), threadId: model.threadId };
  const show = () => setPython(pythonOf(where, { kind: 'command', command: { resume: resume() } }));
  return html`<form class="card waits" onSubmit=${(event) => { event.preventDefault(); answer(); }}><h2>${interrupts.length === 1 ? 'Waits for an answer' : `Waits for ${interrupts.length} answers`}</h2>
    ${interrupts.map((found) => html`<${Interrupt} key=${found.id} found=${found} single=${interrupts.length === 1} answer=${answers[found.id] ?? ''} change=${(value) => setAnswers({ ...answers, [found.id]: value })} send=${send} />`)}
    <div class="actions">${given.length > 0 && html`<${Button} label="Copy as Python" icon="copy" quiet onClick=${show} />`}<${Button} label=${interrupts.length === 1 ? 'Answer' : `Answer ${given.length} of ${interrupts.length}`} icon="play" primary type="submit" busy=${busy} disabled=${!given.length} /></div>
    ${python && html`<${Python} code=${python} close=${() => setPython(null)} />`}</form>`;
}

function Interrupt({ found, single, answer, change, send }) {
  const [quick, busy] = useAction(send);
  const yes = [['Yes', true], ['No', false]];
  const { question, options, rest } = questionOf(found.value);
  const choices = options?.map((option) => [String(option), option]) ?? yes;
  return html`<div class="interrupt"><div class="dim">${found.task}</div>
    ${question && html`<p class="question">${question}</p>`}${rest !== undefined && html`<${JsonTree} value=${rest} open=${2} />`}
    <label class="field"><span>Answer${single ? '' : ` to ${found.task}`}: text, or JSON</span><textarea rows="2" value=${answer} onInput=${(event) => change(event.target.value === '' ? undefined : event.target.value)} /></label>
    ${single && html`<div class="actions quick">${choices.map(([label, value]) => html`<${Button} key=${label} label=${label} busy=${busy} onClick=${() => quick(value)} />`)}</div>`}</div>`;
}

// What an interrupt asks, in the words it uses; what else it says stays a tree.
function questionOf(value) {
  if (typeof value === 'string') return { question: value };
  if (!isNested(value) || Array.isArray(value)) return { rest: value };
  const { question, options, ...others } = value;
  const plain = Array.isArray(options) && options.every((option) => option !== null && !isNested(option));
  const rest = { ...(typeof question === 'string' ? {} : 'question' in value ? { question } : {}), ...(plain || options === undefined ? {} : { options }), ...others };
  return { question: typeof question === 'string' ? question : null, options: plain ? options : null, rest: Object.keys(rest).length ? rest : undefined };
}

// JSON is meant as JSON, anything else as text.
function read(text) {
  try {
    return readJson(text);
  } catch {
    return text;
  }
}
