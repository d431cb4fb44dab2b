// The drawing of a graph. Nodes that run are lit, those that wait or failed are marked.
import { html, useMemo } from '../dom.js';
import { layoutOf } from '../think/layout.js';

export function Drawing({ graph, running = new Set(), next = new Set(), failed = new Set(), done = new Set(), label = 'Drawing of the graph' }) {
  const placed = useMemo(() => layoutOf(graph), [graph]);
  const stateOf = (id) => {
    const path = id.split(':');
    const names = [id, path[0]];
    if (names.some((name) => running.has(name)) && (running.has(id) || path.length === 1)) return 'running';
    if (failed.has(id)) return 'failed';
    if (next.has(id)) return 'next';
    return done.has(id) ? 'done' : 'still';
  };
  const lit = placed.nodes.filter((node) => stateOf(node.id) === 'running').map((node) => node.title);
  return html`<figure class="drawing"><svg viewBox=${`0 0 ${placed.width} ${placed.height}`} width=${placed.width} height=${placed.height}
      role="img" aria-label=${`${label}: ${placed.nodes.map((node) => node.title).join(', ')}${lit.length ? `. Running: ${lit.join(', ')}` : ''}`}>
    <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="arrow" d="M0 0L8 4L0 8z" /></marker></defs>
    ${placed.groups.map((group) => html`<g key=${group.id} class="group"><rect x=${group.x - group.width / 2} y=${group.y - group.height / 2} width=${group.width} height=${group.height} rx="10" />
      <text x=${group.x - group.width / 2 + 10} y=${group.y - group.height / 2 + 14}>${group.title}</text></g>`)}
    ${placed.edges.map((edge) => html`<g key=${edge.key} class=${`edge ${edge.conditional ? 'conditional' : ''}`}><path d=${edge.path} marker-end="url(#arrow)" />
      ${edge.label && html`<text x=${edge.x} y=${edge.y + 4}>${edge.label}</text>`}</g>`)}
    ${placed.nodes.map((node) => html`<g key=${node.id} class=${`node is-${stateOf(node.id)} ${node.ends ? 'ends' : ''}`} data-node=${node.id}>
      <title>${node.id}</title>
      <rect x=${node.x - node.width / 2} y=${node.y - node.height / 2} width=${node.width} height=${node.height} rx=${node.ends ? 13 : 8} />
      <text x=${node.x} y=${node.y + 4.5}>${node.title}</text></g>`)}
  </svg></figure>`;
}
