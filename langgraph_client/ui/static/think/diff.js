// What has changed between two values of JSON, as a flat list of places.
import { isNested } from './json.js';

export function same(a, b) {
  if (a === b) return true;
  if (a instanceof Number && b instanceof Number) return String(a) === String(b);
  if (!isNested(a) || !isNested(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length
    && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}

// Returns [{path, kind: 'added' | 'removed' | 'changed', before, after}].
export function diff(before, after, path = []) {
  if (same(before, after)) return [];
  if (!isNested(before) || !isNested(after) || Array.isArray(before) !== Array.isArray(after)) {
    return [{ path, kind: 'changed', before, after }];
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const place = [...path, Array.isArray(after) ? Number(name) : name];
    if (!Object.hasOwn(before, name)) return [{ path: place, kind: 'added', after: after[name] }];
    if (!Object.hasOwn(after, name)) return [{ path: place, kind: 'removed', before: before[name] }];
    return diff(before[name], after[name], place);
  });
}

export function pathText(path) {
  return path
    .map((name, at) => (typeof name === 'number' ? `[${name}]` : at ? `.${name}` : name))
    .join('') || '(all)';
}
