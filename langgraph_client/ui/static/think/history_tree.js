// The history of a thread as a tree: which checkpoint is the child of which, and in which lane each
// is drawn.

export const idOf = (state) => state.checkpoint?.checkpoint_id ?? state.checkpoint_id;
export const parentOf = (state) => state.parent_checkpoint?.checkpoint_id ?? state.parent_checkpoint_id ?? null;

// `history` is newest first. Returns rows in that order: {state, id, parent, lane, children, open},
// where `open` lists the lanes that pass by the row, and the number of lanes.
export function treeOf(history) {
  const known = new Set(history.map(idOf));
  const children = new Map();
  for (const state of history) {
    const parent = parentOf(state);
    if (parent && known.has(parent)) children.set(parent, [...(children.get(parent) ?? []), idOf(state)]);
  }
  const lanes = []; // lane -> the checkpoint that it leads down to
  const rows = [];
  let width = 0;
  for (const state of history) {
    const id = idOf(state);
    const leading = lanes.flatMap((goal, lane) => (goal === id ? [lane] : []));
    const lane = leading.length ? leading[0] : free(lanes);
    const before = lanes.flatMap((goal, at) => (goal ? [at] : []));
    for (const other of leading) lanes[other] = null;
    const parent = known.has(parentOf(state)) ? parentOf(state) : null;
    lanes[lane] = parent;
    width = Math.max(width, lanes.length);
    rows.push({
      state, id, parent, lane,
      children: children.get(id) ?? [],
      joins: leading.slice(1), // lanes that end here: forks seen from above
      above: before.filter((at) => !leading.includes(at)),
      fromAbove: leading.length > 0,
    });
  }
  return { rows, width };
}

function free(lanes) {
  const at = lanes.indexOf(null);
  return at < 0 ? lanes.length : at;
}

export const forksIn = (rows) => rows.filter((row) => row.children.length > 1).length;
