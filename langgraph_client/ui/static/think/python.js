// The lines of Python that do what the page does, with `RemoteGraph`.
import { isNested } from './json.js';

export function literal(value, indent = '') {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'string') return text(value);
  if (!isNested(value)) return String(value);
  const deeper = `${indent}    `;
  const list = Array.isArray(value);
  const parts = list
    ? value.map((item) => literal(item, deeper))
    : Object.entries(value).map(([name, item]) => `${text(name)}: ${literal(item, deeper)}`);
  const [open, close] = list ? '[]' : '{}';
  const line = `${open}${parts.join(', ')}${close}`;
  if (line.length <= 70 && !line.includes('\n')) return line;
  return `${open}\n${parts.map((part) => `${deeper}${part},\n`).join('')}${indent}${close}`;
}

// JSON's escapes are valid in Python, except pairs of surrogates, which are not escaped here.
const text = (value) => JSON.stringify(value).replace(/[\u007f-\u00a0\u2028\u2029]/g,
  (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

function configOf({ threadId, checkpoint }) {
  const configurable = { thread_id: threadId };
  if (checkpoint) {
    configurable.checkpoint_id = checkpoint.checkpoint_id;
    if (checkpoint.checkpoint_ns) configurable.checkpoint_ns = checkpoint.checkpoint_ns;
  }
  return `config = ${literal({ configurable })}`;
}

function head({ graph, url, command }) {
  return [
    'from langgraph_client import RemoteGraph',
    ...(command ? ['from langgraph.types import Command'] : []),
    '',
    `graph = RemoteGraph(${literal(graph)}, url=${literal(url)})`,
  ];
}

const STREAM = (given) => [
  `for chunk in graph.stream(${given}, config, stream_mode="updates"):`,
  '    print(chunk)',
];

// `action` is {kind: 'input' | 'command' | 'continue' | 'update', …}.
export function pythonOf(where, action) {
  const config = configOf({ threadId: where.threadId, checkpoint: action.checkpoint });
  if (action.kind === 'update') {
    const node = action.asNode ? `, as_node=${literal(action.asNode)}` : '';
    return [
      ...head(where), config,
      `config = graph.update_state(config, ${literal(action.values)}${node})`,
      ...(action.goOn ? STREAM('None') : []),
    ].join('\n');
  }
  if (action.kind === 'command') {
    const given = Object.entries(action.command).map(([name, value]) => `${name}=${literal(value)}`);
    return [...head({ ...where, command: true }), config, ...STREAM(`Command(${given.join(', ')})`)].join('\n');
  }
  return [...head(where), config, ...STREAM(action.kind === 'continue' ? 'None' : literal(action.input))].join('\n');
}
