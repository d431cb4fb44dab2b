// The frame around the views: navigation, theme, connection, keyboard.
import { html, render, useEffect, useState } from './dom.js';
import { info, setKey, watchConnection } from './api.js';
import { go, link, useRoute } from './router.js';
import { Button, Dialog, Field, Icon, Toasts } from './parts/basics.js';
import { ThreadsView } from './views/threads.js';
import { ThreadView } from './views/thread.js';
import { AssistantsView } from './views/assistants.js';
import { CronsView } from './views/crons.js';
import { StoreView } from './views/store.js';

const VIEWS = [
  { id: 'threads', title: 'Threads', key: '1' },
  { id: 'assistants', title: 'Assistants', key: '2' },
  { id: 'crons', title: 'Crons', key: '3' },
  { id: 'store', title: 'Store', key: '4' },
];

const RETRY_MS = 2000;

function App() {
  const route = useRoute();
  const [connection, setConnection] = useState('up');
  const [help, setHelp] = useState(false);
  useEffect(() => watchConnection(setConnection), []);
  useEffect(() => {
    if (connection !== 'down') return undefined;
    const timer = setInterval(() => info().catch(() => {}), RETRY_MS); // An answer says that it is up.
    return () => clearInterval(timer);
  }, [connection]);
  useEffect(() => {
    document.title = `${VIEWS.find(({ id }) => id === route.view)?.title ?? 'LangGraph'} · LangGraph`;
  }, [route.view]);
  useKeys(() => setHelp((shown) => !shown));
  return html`<div class="frame">
    <a class="skip" href="#main" onClick=${skip}>Skip to content</a>
    <aside class="side"><a class="brand" href=${link('threads')} aria-label="Threads of this server"><i aria-hidden="true"></i><b>LangGraph</b></a>
      <nav aria-label="Views">${VIEWS.map(({ id, title }) => html`<a key=${id} href=${link(id)} aria-current=${route.view === id ? 'page' : undefined}><${Icon} name=${id} /><span>${title}</span></a>`)}</nav>
      <div class="side-foot"><${Server} connection=${connection} /><${Theme} /><${Button} label="Keyboard shortcuts" iconOnly quiet onClick=${() => setHelp(true)} icon="keyboard" /></div>
    </aside>
    <main id="main" tabindex="-1">
      ${connection === 'down' && html`<div class="banner" role="alert"><${Icon} name="alert" />The server does not answer. Trying again…</div>`}
      ${connection === 'locked' ? html`<${Unlock} done=${() => setConnection('up')} />` : html`<${View} route=${route} />`}
    </main>
    ${help && html`<${Help} close=${() => setHelp(false)} />`}<${Toasts} />
  </div>`;
}

const skip = (event) => {
  event.preventDefault();
  document.getElementById('main').focus();
};

function View({ route }) {
  if (route.view === 'threads' && route.parts[0]) return html`<${ThreadView} key=${route.parts[0]} id=${route.parts[0]} tab=${route.parts[1]} />`;
  const Found = { threads: ThreadsView, assistants: AssistantsView, crons: CronsView, store: StoreView }[route.view];
  return Found ? html`<${Found} route=${route} />` : html`<div class="note empty"><h3>There is no such page</h3><a href=${link('threads')}>All threads</a></div>`;
}

function Server({ connection }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    if (connection === 'up') info().then(setFound, () => setFound(null));
  }, [connection]);
  const text = { up: 'Connected', down: 'Disconnected', locked: 'Key needed' }[connection];
  return html`<div class=${`server is-${connection}`} title=${found?.version ? `Server ${found.version}` : text}><i aria-hidden="true"></i><span>${text}</span></div>`;
}

function Theme() {
  const [theme, setTheme] = useState(() => localStorage.getItem('langgraph-ui-theme'));
  useEffect(() => {
    if (theme) document.documentElement.dataset.theme = theme;
  }, [theme]);
  const isDark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const change = () => {
    const next = isDark ? 'light' : 'dark';
    localStorage.setItem('langgraph-ui-theme', next);
    setTheme(next);
  };
  return html`<${Button} label=${isDark ? 'Use light colours' : 'Use dark colours'} icon=${isDark ? 'sun' : 'moon'} iconOnly quiet onClick=${change} />`;
}

function Unlock({ done }) {
  const [name, setName] = useState('x-api-key');
  const [value, setValue] = useState('');
  const open = (event) => {
    event.preventDefault();
    setKey(name, name === 'authorization' && !/\s/.test(value) ? `Bearer ${value}` : value);
    done();
  };
  return html`<form class="unlock card" onSubmit=${open}><h2>This server asks for a key</h2>
    <p class="dim">It is kept in this tab until the tab is closed, and sent to this server only.</p>
    <${Field} label="Sent as"><select value=${name} onChange=${(event) => setName(event.target.value)}><option value="x-api-key">x-api-key</option><option value="authorization">Authorization: Bearer</option></select><//>
    <${Field} label="Key"><input type="password" autocomplete="off" required autofocus value=${value} onInput=${(event) => setValue(event.target.value.trim())} /><//>
    <div class="actions"><${Button} label="Open" primary type="submit" /></div></form>`;
}

const KEYS = [['1 – 4', 'Threads, assistants, crons, store'], ['/', 'Search'], ['j, k', 'Next, previous row'], ['Enter', 'Open the row'], ['n', 'New thread'], ['[, ]', 'Previous, next tab of a thread'], ['Ctrl Enter', 'Send'], ['Esc', 'Close a dialog'], ['?', 'This list']];

function Help({ close }) {
  return html`<${Dialog} title="Keyboard" close=${close}><dl class="keys">${KEYS.map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl><//>`;
}

function useKeys(help) {
  useEffect(() => {
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog')) return;
      const view = VIEWS.find(({ key }) => key === event.key);
      if (view) go(view.id);
      else if (event.key === '?') help();
      else if (event.key === 'j' || event.key === 'k') moveRow(event.key === 'j' ? 1 : -1);
      else if (event.key === '[' || event.key === ']') moveTab(event.key === ']' ? 1 : -1);
      else if (event.key === '/' && focusOn('[data-search]')) event.preventDefault();
      else if (event.key === 'n') document.querySelector('[data-new]')?.click();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

function focusOn(selector) {
  const found = document.querySelector(selector);
  found?.focus();
  return found;
}

function moveRow(step) {
  const rows = [...document.querySelectorAll('[data-row]')];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))].focus();
}

function moveTab(step) {
  const tabs = [...document.querySelectorAll('main .tabs a')];
  const at = tabs.findIndex((tab) => tab.getAttribute('aria-current'));
  if (tabs[at + step]) tabs[at + step].click();
}

const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);
