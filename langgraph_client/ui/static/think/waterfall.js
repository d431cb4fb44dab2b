// Which node of a run ran from when to when. From the `tasks` events of a run where there were any,
// else from its checkpoints: the tasks of a checkpoint ran until its child was written.
import { idOf, parentOf } from './history_tree.js';

// An id of an event is `<milliseconds since 1970>-<number>`.
export function timeOf(event) {
  const ms = Number(/^(\d{12,})-/.exec(event.id ?? '')?.[1]);
  return Number.isFinite(ms) && ms > 0 ? ms : event.at;
}

// Returns run id -> [{id, name, namespace, from, to, error, interrupts}].
export function barsOfEvents(events) {
  const found = new Map();
  let run = null;
  for (const event of events) {
    if (event.event === 'metadata') run = event.data?.run_id ?? run;
    const [mode, ...namespace] = event.event.split('|');
    if (mode !== 'tasks' || !event.data?.id || !run) continue;
    const bars = found.get(run) ?? new Map();
    found.set(run, bars);
    const { id, name } = event.data;
    if ('input' in event.data || !('result' in event.data)) {
      bars.set(id, { id, name, namespace, from: timeOf(event), to: null, error: null, interrupts: 0 });
    } else if (bars.has(id)) {
      Object.assign(bars.get(id), {
        to: timeOf(event), error: event.data.error, interrupts: event.data.interrupts?.length ?? 0,
      });
    }
  }
  return new Map([...found].map(([id, bars]) => [id, [...bars.values()]]));
}

export function barsOfHistory(history) {
  const found = new Map();
  const children = new Map();
  for (const state of history) {
    const parent = parentOf(state);
    if (parent) children.set(parent, [...(children.get(parent) ?? []), state]);
  }
  for (const state of history) {
    const following = (children.get(idOf(state)) ?? []).filter((child) => child.metadata?.source === 'loop');
    for (const child of following) {
      const run = child.metadata?.run_id;
      if (!run) continue;
      const bars = found.get(run) ?? [];
      found.set(run, bars);
      const from = Date.parse(state.created_at);
      const to = Date.parse(child.created_at);
      for (const task of state.tasks ?? []) {
        if (task.name === '__start__') continue;
        bars.push({ id: task.id, name: task.name, namespace: [], from, to, error: task.error, interrupts: task.interrupts?.length ?? 0 });
      }
    }
    const run = state.metadata?.run_id;
    for (const task of following.length ? [] : state.tasks ?? []) {
      if (!run || !(task.error || task.interrupts?.length)) continue;
      const from = Date.parse(state.created_at);
      const bar = { id: task.id, name: task.name, namespace: [], from, to: from, error: task.error, interrupts: task.interrupts?.length ?? 0 };
      found.set(run, [...(found.get(run) ?? []), bar]);
    }
  }
  for (const bars of found.values()) bars.sort((a, b) => a.from - b.from);
  return found;
}
