// The content of a message as blocks: {kind: 'text' | 'reasoning', text}, {kind: 'image', src} or
// {kind: 'json', value}. Pictures are shown only if they are in the message itself: a request to
// another host would reveal the reader to it.

const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+$/;

export function blocksOfContent(content) {
  if (typeof content === 'string') return content ? [{ kind: 'text', text: content }] : [];
  if (!Array.isArray(content)) return content === null || content === undefined ? [] : [{ kind: 'json', value: content }];
  return content.map(blockOf).filter((block) => block && block.text !== '');
}

function blockOf(block) {
  if (typeof block === 'string') return { kind: 'text', text: block };
  if (block?.type === 'text' && typeof block.text === 'string') return { kind: 'text', text: block.text };
  const reasoning = block?.reasoning ?? block?.thinking;
  if (typeof reasoning === 'string') return { kind: 'reasoning', text: reasoning };
  if (['tool_use', 'tool_call', 'tool_call_chunk', 'input_json_delta'].includes(block?.type)) return null; // shown as a call
  const src = pictureOf(block);
  return src ? { kind: 'image', src } : { kind: 'json', value: block };
}

function pictureOf(block) {
  const url = block?.image_url?.url ?? block?.image_url ?? block?.url
    ?? (block?.type === 'image' && block.base64 ? `data:${block.mime_type};base64,${block.base64}` : null)
    ?? (block?.source?.type === 'base64' ? `data:${block.source.media_type};base64,${block.source.data}` : null);
  return typeof url === 'string' && PICTURE.test(url) ? url : null;
}
