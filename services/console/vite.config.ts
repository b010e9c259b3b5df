import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("web"),
  // Relative: the page also works below a path, behind a proxy.
  base: "./",
  build: {
    outDir: here("dist"),
    emptyOutDir: true,
    target: "es2023",
    // No data: URLs, which the page's content security policy does not allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    // The page calls the address that it came from; in development, these calls go on to a server.
    proxy: { "/duchenne.v1.": { target: process.env.DUCHENNE_CONNECT_URL ?? "http://127.0.0.1:8051" } },
  },
});
