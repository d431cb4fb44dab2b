// Requests to the server that serves the page. The key, if there is one, is kept for this tab.
import { readJson } from './think/json.js';
import { readEvents } from './think/sse.js';

const ROOT = new URL('..', document.baseURI).href.replace(/\/$/, '');
const KEPT = 'langgraph-ui-key';
const LIMIT_MS = 30_000;

export class ApiError extends Error {
  constructor(status, message, detail) {
    super(message);
    this.status = status;
    this.detail = detail;
  }
}

let key = readKey();
const listeners = new Set();
let connection = 'up'; // 'up', 'down' or 'locked'

export function watchConnection(listener) {
  listeners.add(listener);
  listener(connection);
  return () => listeners.delete(listener);
}

function setConnection(state) {
  if (state === connection) return;
  connection = state;
  for (const listener of listeners) listener(state);
}

export function setKey(name, value) {
  key = value ? { name, value } : null;
  if (key) sessionStorage.setItem(KEPT, JSON.stringify(key));
  else sessionStorage.removeItem(KEPT);
  setConnection('up');
}

export const serverUrl = () => ROOT;

// `#key=…` at the end of the address gives the key; it is taken out of the address at once.
function readKey() {
  const given = /^#key=(.+)$/.exec(location.hash);
  if (given) {
    const found = { name: 'x-api-key', value: decodeURIComponent(given[1]) };
    sessionStorage.setItem(KEPT, JSON.stringify(found));
    history.replaceState(null, '', `${location.pathname}#/threads`);
    return found;
  }
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

async function send(method, path, { body, query, headers, signal } = {}) {
  const url = new URL(ROOT + path);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  const sent = { accept: 'application/json', ...headers };
  if (body !== undefined) sent['content-type'] = 'application/json';
  const used = key;
  if (used) sent[used.name] = used.value;
  let answer;
  try {
    answer = await fetch(url, {
      method, headers: sent, signal, credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted && signal.reason?.name !== 'TimeoutError') throw error;
    setConnection('down');
    throw new ApiError(0, 'The server does not answer', String(error));
  }
  if (answer.ok) {
    setConnection('up');
    return answer;
  }
  const error = await errorOf(answer);
  // A refusal of the key before says nothing of this one.
  if (answer.status === 401 && used === key) setConnection('locked');
  else if (answer.status === 502) setConnection('down');
  throw error;
}

async function errorOf(answer) {
  const text = await answer.text();
  let said = text;
  try {
    const body = JSON.parse(text);
    said = body.detail ?? body.error ?? body.message ?? text;
    if (typeof said !== 'string') said = JSON.stringify(said);
  } catch {} // Not JSON: the text itself.
  return new ApiError(answer.status, said || `Status ${answer.status}`, text);
}

export async function call(method, path, options = {}) {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const answer = await send(method, path, { ...options, signal });
  const text = await answer.text();
  return text.trim() ? readJson(text) : null;
}

export async function* events(path, { query, lastEventId, signal } = {}) {
  const headers = { accept: 'text/event-stream' };
  if (lastEventId) headers['last-event-id'] = lastEventId;
  const answer = await send('GET', path, { query, headers, signal });
  yield { event: 'open' };
  yield* readEvents(answer.body, 30_000);
}

const part = encodeURIComponent;
export const threads = {
  search: (body, signal) => call('POST', '/threads/search', { body, signal }),
  count: (body, signal) => call('POST', '/threads/count', { body, signal }),
  create: (body) => call('POST', '/threads', { body }),
  get: (id, signal) => call('GET', `/threads/${part(id)}`, { signal }),
  patch: (id, body) => call('PATCH', `/threads/${part(id)}`, { body }),
  delete: (id) => call('DELETE', `/threads/${part(id)}`),
  copy: (id) => call('POST', `/threads/${part(id)}/copy`),
  state: (id, signal) => call('GET', `/threads/${part(id)}/state`, { query: { subgraphs: true }, signal }),
  history: (id, body, signal) => call('POST', `/threads/${part(id)}/history`, { body, signal }),
  update: (id, body) => call('POST', `/threads/${part(id)}/state`, { body }),
  stream: (id, options) => events(`/threads/${part(id)}/stream`, {
    query: { stream_modes: 'run_modes,lifecycle,state_update' }, ...options,
  }),
};
export const runs = {
  list: (id, query, signal) => call('GET', `/threads/${part(id)}/runs`, { query, signal }),
  create: (id, body) => call('POST', `/threads/${part(id)}/runs`, { body }),
  cancel: (id, run) => call('POST', `/threads/${part(id)}/runs/${part(run)}/cancel`),
};
export const assistants = {
  search: (body, signal) => call('POST', '/assistants/search', { body, signal }),
  get: (id) => call('GET', `/assistants/${part(id)}`),
  create: (body) => call('POST', '/assistants', { body }),
  patch: (id, body) => call('PATCH', `/assistants/${part(id)}`, { body }),
  delete: (id) => call('DELETE', `/assistants/${part(id)}`),
  versions: (id) => call('POST', `/assistants/${part(id)}/versions`, { body: { limit: 100 } }),
  setLatest: (id, version) => call('POST', `/assistants/${part(id)}/latest`, { body: { version } }),
  graph: (id, xray) => call('GET', `/assistants/${part(id)}/graph`, { query: { xray } }),
  schemas: (id) => call('GET', `/assistants/${part(id)}/schemas`),
};
export const crons = {
  search: (body, signal) => call('POST', '/runs/crons/search', { body, signal }),
  create: (body, thread) => call('POST', thread ? `/threads/${part(thread)}/runs/crons` : '/runs/crons', { body }),
  patch: (id, body) => call('PATCH', `/runs/crons/${part(id)}`, { body }),
  delete: (id) => call('DELETE', `/runs/crons/${part(id)}`),
};
export const store = {
  namespaces: (body, signal) => call('POST', '/store/namespaces', { body, signal }),
  search: (body, signal) => call('POST', '/store/items/search', { body, signal }),
  put: (body) => call('PUT', '/store/items', { body }),
  delete: (body) => call('DELETE', '/store/items', { body }),
};
export const info = () => call('GET', '/info');
