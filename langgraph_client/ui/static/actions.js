// What the page does to threads: starting runs, and writing states.
import * as api from './api.js';

export const STREAM_MODES = ['values', 'updates', 'messages-tuple', 'custom', 'tasks', 'checkpoints'];

// Starts a run whose events the thread's stream carries. `what` is {input} or {command}, and may
// have `checkpoint` and `assistant_id`.
export async function startRun(model, what) {
  const assistant = what.assistant_id ?? model.assistantId;
  if (!assistant) throw new Error('Choose an assistant first');
  const run = await api.runs.create(model.threadId, {
    ...what, assistant_id: assistant, stream_mode: STREAM_MODES, stream_subgraphs: true, stream_resumable: true,
  });
  await model.refresh();
  return run;
}

export async function updateState(model, { values, asNode, checkpoint }) {
  const body = { values };
  if (asNode) body.as_node = asNode;
  if (checkpoint) body.checkpoint = pointOf(checkpoint);
  const made = await api.threads.update(model.threadId, body);
  await model.refresh();
  return made;
}

export function pointOf(checkpoint) {
  const point = { checkpoint_id: checkpoint.checkpoint_id, checkpoint_ns: checkpoint.checkpoint_ns ?? '' };
  if (checkpoint.checkpoint_map) point.checkpoint_map = checkpoint.checkpoint_map;
  return point;
}
