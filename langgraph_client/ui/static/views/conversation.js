// The messages of a thread. Whatever a model says is text, never HTML.
import { html, useEffect, useRef, useState } from '../dom.js';
import { Button, Icon } from '../parts/basics.js';
import { JsonTree } from '../parts/json_tree.js';
import { Markdown } from '../parts/markdown.js';
import { isEmpty, preview } from '../think/format.js';
import { blocksOfContent } from '../think/content.js';
import { isNested, readJson } from '../think/json.js';

const NAMES = { human: 'Human', ai: 'Assistant', AIMessageChunk: 'Assistant', tool: 'Tool', system: 'System' };

const MOST = 200;

export function Conversation({ model }) {
  const end = useRef();
  const [most, setMost] = useState(MOST);
  const { messages } = model;
  const length = messages.length;
  useEffect(() => {
    const box = end.current?.closest('.tab-body');
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < 400) box.scrollTop = box.scrollHeight;
  }, [length, messages.at(-1)?.content?.length]);
  const rest = Object.entries(model.state?.values ?? {}).filter(([name, value]) => name !== 'messages' && !isEmpty(value));
  const earlier = Math.max(0, length - most);
  return html`<div class="conversation">${earlier > 0 && html`<${Button} label=${`${earlier} earlier messages`} quiet onClick=${() => setMost(most + MOST)} />`}
    <ol class="messages" aria-label="Messages">${messages.slice(earlier).map((message, at) => html`<${Message} key=${message.id ?? earlier + at} message=${message} />`)}</ol>
    ${rest.length > 0 && html`<details class="rest"><summary>The rest of the state</summary><${JsonTree} value=${Object.fromEntries(rest)} /></details>`}<div ref=${end}></div></div>`;
}

function Message({ message }) {
  const type = String(message.type ?? message.role ?? 'message');
  const kind = NAMES[type] ? (type === 'AIMessageChunk' ? 'ai' : type) : 'other';
  const blocks = blocksOfContent(message.content);
  const calls = message.tool_calls ?? [];
  return html`<li class=${`message is-${kind} ${message.streaming ? 'streaming' : ''}`}>
    <header><b>${NAMES[type] ?? type}</b>${message.name && html`<span class="chip">${message.name}</span>`}${message.status === 'error' && html`<span class="chip failed">failed</span>`}
      ${message.usage_metadata?.total_tokens && html`<span class="dim">${message.usage_metadata.total_tokens} tokens</span>`}</header>
    <div class="bubble">${kind === 'tool' ? html`<${ToolResult} blocks=${blocks} />` : blocks.map(Block)}
      ${calls.map((call) => html`<${ToolCall} key=${call.id} call=${call} />`)}
      ${!blocks.length && !calls.length && html`<span class="dim">${message.streaming ? 'thinking…' : 'no content'}</span>`}</div></li>`;
}

function Block(block) {
  if (block.kind === 'text') return html`<${Markdown} text=${block.text} />`;
  if (block.kind === 'reasoning') return html`<details class="reasoning"><summary>Reasoning</summary><${Markdown} text=${block.text} /></details>`;
  if (block.kind === 'image') return html`<img class="picture" src=${block.src} alt="Image in the message" />`;
  return html`<${JsonTree} value=${block.value} open=${1} />`;
}

function ToolCall({ call }) {
  return html`<details class="tool-call"><summary><${Icon} name="play" /><b>${call.name}</b><span class="dim">${preview(call.args ?? {}, 80)}</span></summary><${JsonTree} value=${call.args ?? {}} /></details>`;
}

function ToolResult({ blocks }) {
  if (blocks.length === 1 && blocks[0].kind === 'text') {
    const { text } = blocks[0];
    try {
      const value = readJson(text);
      if (isNested(value)) return html`<${JsonTree} value=${value} open=${1} />`;
    } catch {} // No JSON: shown as it is.
    return html`<pre class="plain" tabindex="0">${text}</pre>`;
  }
  return blocks.map(Block);
}
