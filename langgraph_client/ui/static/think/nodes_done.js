// The nodes that the latest run has carried out, from the history.

export function nodesDone({ history, runs }) {
  const run = runs[0]?.run_id;
  const names = new Set();
  for (const state of history) {
    if (state.metadata?.run_id !== run) continue;
    for (const task of state.tasks ?? []) if (task.result !== null && task.result !== undefined) names.add(task.name);
  }
  return names;
}
