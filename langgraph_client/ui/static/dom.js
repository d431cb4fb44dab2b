// The reactive library, as the rest of the page uses it. Text is always text: nothing here, nor in
// any view, sets HTML, and the page's policy (trusted types) would refuse it.
import { h, render, Fragment } from './vendor/preact.js';
import htm from './vendor/htm.js';

export { render, Fragment };
export { useState, useEffect, useMemo, useRef, useCallback, useReducer, useLayoutEffect } from './vendor/hooks.js';
export const html = htm.bind(h);
