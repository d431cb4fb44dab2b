// Where the nodes and edges of a drawing are. dagre does the work.
import { Graph, layout } from '../vendor/dagre.js';

const HEIGHT = 34;
const LETTER = 7.4;

export const titleOf = (node) => {
  if (node.id === '__start__') return 'start';
  if (node.id === '__end__') return 'end';
  const name = node.data?.name && !String(node.id).includes(':') ? node.data.name : String(node.id).split(':').pop();
  return name.length > 26 ? `${name.slice(0, 25)}…` : name;
};

const isEnd = (id) => /(^|:)__(start|end)__$/.test(id);

// Returns {width, height, nodes: [{id, title, x, y, width, height, ends, group}], edges: [{key, path, label, conditional, x, y}], groups}.
export function layoutOf({ nodes, edges }, across = false) {
  const graph = new Graph({ multigraph: true, compound: true });
  graph.setGraph({ rankdir: across ? 'LR' : 'TB', nodesep: 28, ranksep: 40, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  const groups = new Set();
  for (const node of nodes) {
    const id = String(node.id);
    const title = titleOf(node);
    graph.setNode(id, { title, width: isEnd(id) ? 58 : Math.max(72, title.length * LETTER + 30), height: isEnd(id) ? 26 : HEIGHT });
    const parents = id.split(':').slice(0, -1);
    parents.forEach((_, depth) => {
      const group = `group ${parents.slice(0, depth + 1).join(':')}`;
      if (!groups.has(group)) {
        groups.add(group);
        graph.setNode(group, { title: parents[depth] });
        if (depth) graph.setParent(group, `group ${parents.slice(0, depth).join(':')}`);
      }
    });
    if (parents.length) graph.setParent(id, `group ${parents.join(':')}`);
  }
  edges.forEach((edge, at) => {
    if (!graph.hasNode(String(edge.source)) || !graph.hasNode(String(edge.target))) return;
    const label = typeof edge.data === 'string' && edge.data !== edge.target ? edge.data : '';
    graph.setEdge(String(edge.source), String(edge.target), { label, conditional: !!edge.conditional, width: label.length * 6, height: label ? 14 : 0, labelpos: 'c' }, String(at));
  });
  layout(graph);
  const size = graph.graph();
  const placed = (id) => ({ id, ...graph.node(id) });
  return {
    width: Math.ceil(size.width), height: Math.ceil(size.height),
    nodes: graph.nodes().filter((id) => !groups.has(id)).map((id) => ({ ...placed(id), ends: isEnd(id) })),
    groups: [...groups].map(placed),
    edges: graph.edges().map((edge) => {
      const found = graph.edge(edge);
      return { key: `${edge.v}>${edge.w}>${edge.name}`, source: edge.v, target: edge.w, label: found.label, conditional: found.conditional, x: found.x, y: found.y, path: curve(found.points) };
    }),
  };
}

// A smooth line through the points that dagre gives.
function curve(points) {
  const at = ({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`;
  if (points.length < 3) return `M${points.map(at).join('L')}`;
  let path = `M${at(points[0])}`;
  for (let i = 1; i < points.length - 1; i += 1) {
    const last = i === points.length - 2;
    const end = last ? points[i + 1] : { x: (points[i].x + points[i + 1].x) / 2, y: (points[i].y + points[i + 1].y) / 2 };
    path += `Q${at(points[i])} ${at(end)}`;
  }
  return path;
}
