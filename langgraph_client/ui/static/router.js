// The address: `#/threads/<id>/<tab>?name=value`.
import { useEffect, useState } from './dom.js';

export function readRoute() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  return { view: parts[0] ?? 'threads', parts: parts.slice(1), query: new URLSearchParams(query) };
}

export const link = (...parts) => `#/${parts.filter((part) => part !== undefined && part !== null).map(encodeURIComponent).join('/')}`;

export const go = (...parts) => { location.hash = link(...parts); };

export function replaceQuery(query) {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  const [path] = location.hash.split('?');
  history.replaceState(null, '', text ? `${path || '#/threads'}?${text}` : path || '#/threads');
}

export function useRoute() {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const changed = () => setRoute(readRoute());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
