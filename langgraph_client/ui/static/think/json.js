// JSON whose numbers stay as they are written. JavaScript changes some of them when it reads them:
// integers above 2^53 become others, and 1.0 becomes 1, which is of another type in Python.

// A number that would be changed. It is written as it was read, and behaves like a number elsewhere.
export class ExactNumber extends Number {
  #text;

  constructor(text) {
    super(text);
    this.#text = text;
  }

  toString() {
    return this.#text;
  }

  toJSON() {
    return JSON.rawJSON(this.#text);
  }
}

// Whether a text may have such numbers. With a function for each value, reading takes far longer.
const ODD = /(?:^|[[:,\s])-?(?:\d{16}|\d+\.\d*0(?!\d)|\d[\d.]{17}|\d+(?:\.\d+)?[eE])/;

// Browsers that do not tell how a number was written read it as ever.
export function readJson(text) {
  return ODD.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
}

function exact(name, value, context) {
  const source = typeof value === 'number' ? context?.source : undefined;
  return source === undefined || source === String(value) || !JSON.rawJSON ? value : new ExactNumber(source);
}

// Whether a value has others in it: an object or a list.
export const isNested = (value) => value !== null && typeof value === 'object' && !(value instanceof Number);
