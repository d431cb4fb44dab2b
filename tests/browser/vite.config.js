import { defineConfig } from "vite";

// `base` is relative, so that the built page can be served from any folder.
export default defineConfig({ base: "./", oxc: { jsx: { runtime: "automatic" } } });
