// The small parts that every view is made of.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../dom.js';
import { watchConnection } from '../api.js';
import { pretty } from '../think/format.js';
import { readJson } from '../think/json.js';

const SHAPES = {
  threads: 'M4 5h16v11H9l-5 4V5z',
  assistants: 'M12 3l8 4.5v9L12 21l-8-4.5v-9L12 3zM12 12l8-4.5M12 12v9M12 12L4 7.5',
  crons: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3 2',
  store: 'M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
  back: 'M15 5l-7 7 7 7', down: 'M5 9l7 7 7-7', next: 'M9 5l7 7-7 7', plus: 'M12 5v14M5 12h14', close: 'M6 6l12 12M18 6L6 18',
  search: 'M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5', copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  play: 'M7 4l13 8-13 8V4z', stop: 'M6 6h12v12H6z', fork: 'M6 4v16M6 12c8 0 12-2 12-8M18 4l-3 3M18 4l3 3',
  edit: 'M4 20l1-5L16 4l4 4L9 19l-5 1z', trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13', sun: 'M12 16a4 4 0 100-8 4 4 0 000 8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  moon: 'M20 14A8 8 0 0110 4a8 8 0 1010 10z', redo: 'M20 11a8 8 0 10-2 6M20 5v6h-6', check: 'M5 12l5 5 9-11', keyboard: 'M3 7h18v11H3zM7 11h.01M11 11h.01M15 11h.01M8 15h8', alert: 'M12 4l9 16H3L12 4zM12 10v4M12 17v.5',
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`;
}

export function Button({ icon, label, quiet, danger, primary, iconOnly, busy, ...rest }) {
  const kind = [quiet && 'quiet', danger && 'danger', primary && 'primary', iconOnly && 'icon-only'].filter(Boolean).join(' ');
  return html`<button type="button" class=${`button ${kind}`} aria-label=${label}
    title=${iconOnly ? label : undefined} aria-busy=${busy ? 'true' : undefined} ...${rest} disabled=${rest.disabled || busy}>
    ${icon && html`<${Icon} name=${icon} />`}${!iconOnly && html`<span>${label}</span>`}</button>`;
}

export function Status({ value }) {
  return html`<span class=${`status is-${value}`}><i aria-hidden="true"></i>${value}</span>`;
}

export const Loading = ({ what = 'Loading' }) => html`<div class="note loading" role="status"><i class="spinner" aria-hidden="true"></i>${what}…</div>`;

export function Empty({ title, children }) {
  return html`<div class="note empty"><h3>${title}</h3>${children && html`<div>${children}</div>`}</div>`;
}

export function Failure({ error, retry }) {
  return html`<div class="note failure" role="alert"><h3><${Icon} name="alert" />${error.message}</h3>
    ${error.status > 0 && html`<p class="dim">The server answered ${error.status}.</p>`}
    ${retry && html`<${Button} label="Try again" icon="redo" onClick=${retry} />`}</div>`;
}

// Loads something, again whenever `keys` change, and, if it failed, when the server is back. Gives
// {value, error, loading, reload}.
export function useLoad(load, keys) {
  const [state, setState] = useState({ loading: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    setState((old) => ({ ...old, loading: true }));
    load(leaving.signal).then(
      (value) => leaving.signal.aborted || setState({ value, loading: false }),
      (error) => leaving.signal.aborted || setState((old) => ({ value: old.value, error, loading: false })),
    );
    return () => leaving.abort();
  }, [...keys, round]);
  const failed = Boolean(state.error);
  const reload = () => setRound((number) => number + 1);
  useEffect(() => {
    let first = true; // The first call reports the present state, not a change.
    return failed ? watchConnection((found) => { if (!first && found === 'up') reload(); first = false; }) : undefined;
  }, [failed]);
  return { ...state, reload };
}

let say = () => {};
export const toast = (text, kind = 'done') => say({ text, kind, at: Date.now() });

export function Toasts() {
  const [shown, setShown] = useState(null);
  say = setShown;
  useEffect(() => {
    if (!shown) return undefined;
    const timer = setTimeout(() => setShown(null), shown.kind === 'error' ? 8000 : 3000);
    return () => clearTimeout(timer);
  }, [shown]);
  return html`<div class="toasts" role="status" aria-live="polite">${shown && html`<div class=${`toast is-${shown.kind}`}>
    <${Icon} name=${shown.kind === 'error' ? 'alert' : 'check'} />${shown.text}
    <${Button} label="Dismiss" icon="close" quiet iconOnly onClick=${() => setShown(null)} /></div>`}</div>`;
}

// Runs an action of a button; what goes wrong is said in a toast. Gives [act, busy].
export function useAction(action, done) {
  const [busy, setBusy] = useState(false);
  const act = async (...given) => {
    setBusy(true);
    try {
      const result = await action(...given);
      if (done) toast(done);
      return result;
    } catch (error) {
      toast(error.message, 'error');
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return [act, busy];
}

export function CopyButton({ text, label = 'Copy' }) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    toast('Copied');
  };
  const [act] = useAction(copy);
  return html`<${Button} label=${label} icon="copy" quiet iconOnly onClick=${act} />`;
}

export function Dialog({ title, close, children, wide }) {
  const box = useRef();
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`<dialog ref=${box} class=${wide ? 'wide' : ''} aria-label=${title} onCancel=${(event) => { event.preventDefault(); close(); }}
    onClick=${(event) => event.target === box.current && close()}>
    <header><h2>${title}</h2><${Button} label="Close" icon="close" quiet iconOnly onClick=${close} /></header>
    <div class="dialog-body">${children}</div></dialog>`;
}

export function Confirm({ title, text, label, act, close }) {
  const [run, busy] = useAction(async () => { await act(); close(); });
  return html`<${Dialog} title=${title} close=${close}><p>${text}</p>
    <div class="actions"><${Button} label="Keep" onClick=${close} /><${Button} label=${label} danger busy=${busy} onClick=${run} /></div><//>`;
}

// A text of JSON with what is wrong with it. `change(value, error)` is called while it is edited.
export function JsonEditor({ label, value, change, rows = 8, id }) {
  const [text, setText] = useState(() => (typeof value === 'string' ? value : pretty(value)));
  const [wrong, setWrong] = useState('');
  const edit = (event) => {
    const given = event.target.value;
    setText(given);
    try {
      const read = given.trim() ? readJson(given) : undefined;
      setWrong('');
      change(read, null);
    } catch (error) {
      setWrong(error.message);
      change(undefined, error);
    }
  };
  return html`<label class="field"><span>${label}</span>
    <textarea class="code" id=${id} rows=${rows} spellcheck=${false} autocapitalize="off" value=${text} onInput=${edit} aria-invalid=${wrong ? 'true' : undefined} />
    ${wrong && html`<small class="wrong" role="alert">${wrong}</small>`}</label>`;
}

export function Field({ label, hint, children }) {
  return html`<label class="field"><span>${label}</span>${children}${hint && html`<small class="dim">${hint}</small>`}</label>`;
}

export function Tabs({ label, tabs, current, href }) {
  const bar = useRef();
  useEffect(() => bar.current.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [current]);
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const links = [...event.currentTarget.querySelectorAll('a')];
    links[(links.indexOf(document.activeElement) + step + links.length) % links.length].focus();
  };
  return html`<nav class="tabs" ref=${bar} aria-label=${label} onKeyDown=${move}>${tabs.map(({ id, title, count }) => html`
    <a key=${id} href=${href(id)} aria-current=${id === current ? 'page' : undefined}>${title}${count ? html`<b class="count">${count}</b>` : ''}</a>`)}</nav>`;
}
