// Reads an event stream: lines end at CR, LF or CRLF only.
import { readJson } from './json.js';

export class EventParser {
  #rest = '';
  #event = '';
  #data = [];
  #id;

  push(text) {
    const found = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line) this.#line(line);
      else if (this.#data.length) found.push(this.#take());
    }
    return found;
  }

  #line(line) {
    const at = line.indexOf(':');
    const name = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id') this.#id = value;
  }

  #take() {
    const text = this.#data.join('\n');
    const found = { event: this.#event || 'message', data: parsed(text), id: this.#id };
    this.#event = '';
    this.#data = [];
    return found;
  }
}

function parsed(text) {
  try {
    return readJson(text);
  } catch {
    return text;
  }
}

// Yields the events of a body. A server sends a heartbeat every five seconds; one that is silent
// for longer than `silence` is taken for gone.
export async function* readEvents(body, silence) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    while (true) {
      const { done, value } = await within(reader.read(), silence);
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {}); // It has failed already, and said so above.
  }
}

async function within(promise, limit) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('the stream is silent')), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
