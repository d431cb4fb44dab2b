// What is typed into the search of threads, as the body of a search.
import { readJson } from './json.js';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

// `user=ada` is metadata, `values.topic=cats` is state, a UUID an id, `{…}` metadata as JSON.
// Returns {body, error}.
export function conditionsOf(text) {
  const given = text.trim();
  if (!given) return { body: {} };
  if (given.startsWith('{')) {
    try {
      return { body: { metadata: readJson(given) } };
    } catch {
      return { body: {}, error: 'This is not JSON yet' };
    }
  }
  const body = {};
  for (const word of given.match(/(?:[^\s"]|"[^"]*")+/g) ?? []) {
    const at = word.indexOf('=');
    if (UUID.test(word)) body.ids = [...(body.ids ?? []), word];
    else if (at < 1) return { body: {}, error: 'Write name=value, values.name=value, or a whole thread id' };
    else put(body, word.slice(0, at), valueOf(word.slice(at + 1)));
  }
  return { body };
}

function put(body, path, value) {
  const parts = path.split('.');
  const root = ['values', 'metadata'].includes(parts[0]) && parts.length > 1 ? parts.shift() : 'metadata';
  body[root] ??= {};
  let place = body[root];
  for (const name of parts.slice(0, -1)) {
    if (!Object.hasOwn(place, name)) Object.defineProperty(place, name, { value: {}, enumerable: true });
    place = place[name];
  }
  Object.defineProperty(place, parts.at(-1), { value, enumerable: true, configurable: true, writable: true });
}

function valueOf(text) {
  if (/^".*"$/.test(text)) return text.slice(1, -1);
  try {
    return readJson(text);
  } catch {
    return text;
  }
}
