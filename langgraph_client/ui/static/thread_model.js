// All that the page knows of one thread, kept up to date by the thread's event stream.
import * as api from './api.js';
import { idOf } from './think/history_tree.js';
import { barsOfEvents } from './think/waterfall.js';

const MOST_EVENTS = 2000;
const SETTLE_MS = 150;
const NEWEST = 10;
const POLL_MS = 1500;
const PAGE = 100;

export class ThreadModel {
  #listeners = new Set();
  #leaving = new AbortController();
  #pending = null;
  #refreshing = null;
  #again = false;
  #lastId = '-';
  #failures = 0;

  constructor(threadId) {
    this.threadId = threadId;
    this.thread = null;
    this.state = null;
    this.history = [];
    this.moreHistory = false;
    this.runs = [];
    this.events = [];
    this.dropped = 0;
    this.partial = new Map(); // message id -> message that streams
    this.running = new Map(); // task id -> {name, namespace}
    this.tasksSeen = false; // whether the present run sends `tasks` events
    this.error = null;
    this.live = 'connecting'; // 'connecting', 'live', 'lost'
    this.number = 0;
  }

  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed() {
    for (const listener of this.#listeners) listener();
  }

  start() {
    this.refresh();
    this.#follow();
    this.#poll();
  }

  stop() {
    this.#leaving.abort();
    clearTimeout(this.#pending);
  }

  // Reads everything again. One reading at a time: what changes meanwhile is read by the next.
  refresh() {
    if (this.#refreshing) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#read().finally(() => {
      this.#refreshing = null;
      if (this.#again && !this.#leaving.signal.aborted) {
        this.#again = false;
        this.refresh();
      }
    });
    return this.#refreshing;
  }

  async #read() {
    const { signal } = this.#leaving;
    const id = this.threadId;
    const { number } = this;
    const wasBusy = this.busy;
    try {
      const [thread, state, newest, runs] = await Promise.all([
        api.threads.get(id, signal), api.threads.state(id, signal),
        wasBusy ? api.threads.history(id, { limit: NEWEST }, signal) : null, api.runs.list(id, { limit: 50 }, signal),
      ]);
      // While a run is under way only what is new is read; after it everything, as what it wrote may
      // have been taken back.
      const merged = thread.status === 'busy' && newest ? mergedHistory(newest, this.history) : null;
      const history = merged ?? await this.#wholeHistory(signal);
      Object.assign(this, { thread, state, history, runs, error: null });
      // What was read may be older than an event that came meanwhile.
      if (thread.status !== 'busy' && number === this.number) this.running.clear();
      for (const message of messagesOf(state.values)) this.partial.delete(message.id);
    } catch (error) {
      if (signal.aborted) return;
      this.error = error;
    }
    this.#changed();
  }

  async #wholeHistory(signal) {
    const most = Math.min(Math.max(PAGE, this.history.length), 1000);
    const history = await api.threads.history(this.threadId, { limit: most }, signal);
    if (history.length < most) {
      this.moreHistory = false;
      return history;
    }
    const merged = mergedHistory(history, this.history);
    this.moreHistory ||= !merged;
    return merged ?? history;
  }

  async loadMoreHistory() {
    const last = this.history.at(-1);
    const before = { configurable: { checkpoint_id: last.checkpoint.checkpoint_id } };
    const older = await api.threads.history(this.threadId, { limit: PAGE, before });
    this.history = [...this.history, ...older];
    this.moreHistory = older.length === PAGE;
    this.#changed();
  }

  #settle() {
    this.#pending ??= setTimeout(() => {
      this.#pending = null;
      this.refresh();
    }, SETTLE_MS);
  }

  // Runs that others started may send few events: while one runs, the state is asked for.
  async #poll() {
    while (!this.#leaving.signal.aborted) {
      await pause(POLL_MS);
      if (document.hidden || this.#leaving.signal.aborted) continue;
      if (this.thread?.status === 'busy' || this.error || this.live !== 'live') await this.refresh();
    }
  }

  // A browser opens six connections to a server, for all its tabs: those that nobody looks at
  // leave theirs to the others.
  async #follow() {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      await shown();
      const hiding = new AbortController();
      const hide = () => document.hidden && hiding.abort();
      document.addEventListener('visibilitychange', hide);
      try {
        const options = { lastEventId: this.#lastId, signal: AbortSignal.any([signal, hiding.signal]) };
        for await (const event of api.threads.stream(this.threadId, options)) {
          if (event.event === 'open') {
            this.live = 'live';
            this.#failures = 0;
            this.#changed();
          } else this.#take(event);
        }
      } catch (error) {
        this.lost = error;
      } finally {
        document.removeEventListener('visibilitychange', hide);
      }
      if (signal.aborted) return;
      this.live = 'lost';
      this.#changed();
      this.#failures += 1;
      await pause(Math.min(500 * 2 ** (this.#failures - 1), 10_000));
      this.#settle();
    }
  }

  #take(event) {
    if (event.id) this.#lastId = event.id;
    this.number += 1;
    this.events.push({ ...event, at: Date.now(), number: this.number });
    if (this.events.length > MOST_EVENTS) {
      this.events.splice(0, MOST_EVENTS / 10);
      this.dropped += MOST_EVENTS / 10;
    }
    const [mode, ...namespace] = event.event.split('|');
    if (mode === 'metadata') this.tasksSeen = false;
    if (mode === 'tasks') this.#task(event.data, namespace);
    else if (mode === 'messages') this.#chunk(event.data);
    else if (mode === 'messages/partial') this.#partialMessages(event.data);
    if (mode === 'metadata' || mode === 'error') {
      if (event.data?.status === 'run_done' || mode === 'error') this.running.clear();
      else this.partial.clear();
    }
    if (!mode.startsWith('messages') && mode !== 'custom') this.#settle();
    this.#changed();
  }

  #task(task, namespace) {
    this.tasksSeen = true;
    if ('result' in task) this.running.delete(task.id);
    else this.running.set(task.id, { name: task.name, namespace: namespace.map((part) => part.split(':')[0]) });
  }

  #partialMessages(messages) {
    for (const message of messages) this.partial.set(message.id, message);
  }

  #chunk([chunk]) {
    if (!chunk?.id || chunk.type !== 'AIMessageChunk') return;
    const known = this.partial.get(chunk.id);
    if (!known) {
      this.partial.set(chunk.id, { ...chunk, type: 'ai' });
      return;
    }
    const content = typeof known.content === 'string' && typeof chunk.content === 'string'
      ? known.content + chunk.content : [...[known.content].flat(), ...[chunk.content].flat()];
    this.partial.set(chunk.id, { ...known, content });
  }

  // What is derived.

  get graphName() {
    return this.thread?.metadata?.graph_id ?? null;
  }

  get assistantId() {
    return this.runs[0]?.assistant_id ?? this.thread?.metadata?.assistant_id ?? this.graphName;
  }

  get busy() {
    return this.thread?.status === 'busy';
  }

  get messages() {
    const known = messagesOf(this.state?.values);
    const ids = new Set(known.map((message) => message.id));
    const streaming = this.busy ? [...this.partial.values()].filter((message) => !ids.has(message.id)) : [];
    return [...known, ...streaming.map((message) => ({ ...message, streaming: true }))];
  }

  get interrupts() {
    return (this.state?.tasks ?? []).flatMap((task) => (task.interrupts ?? []).map((found) => ({ ...found, task: task.name })));
  }

  // Nodes that run, by name and by path; from events, else from the state's next tasks.
  get litNodes() {
    const lit = new Set();
    for (const { name, namespace } of this.running.values()) {
      lit.add([...namespace, name].join(':'));
      if (namespace.length) lit.add(namespace[0]);
      else lit.add(name);
    }
    if (!this.tasksSeen && this.busy) for (const name of this.state?.next ?? []) lit.add(name);
    return lit;
  }

  get barsByRun() {
    return barsOfEvents(this.events);
  }
}

// What is known with its newest part replaced; null if the two do not meet.
function mergedHistory(newest, known) {
  const oldest = newest.at(-1);
  const at = oldest ? known.findIndex((state) => idOf(state) === idOf(oldest)) : -1;
  return at < 0 ? null : [...newest, ...known.slice(at + 1)];
}

export const messagesOf = (values) => {
  const found = values?.messages;
  return Array.isArray(found) && found.every((message) => message && typeof message === 'object' && 'content' in message) ? found : [];
};

const shown = () => new Promise((done) => {
  const look = () => {
    if (document.hidden) return;
    document.removeEventListener('visibilitychange', look);
    done();
  };
  document.addEventListener('visibilitychange', look);
  look();
});

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
