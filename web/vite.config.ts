import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";
import { finish } from "./build/finish.ts";
import { withoutForeignFonts } from "./build/fonts.ts";

const source = fileURLToPath(new URL("./src", import.meta.url));
const buildId = process.env.WORKSPACE_BUILD_ID ?? "development";
const api = process.env.WORKSPACE_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [vue(), withoutForeignFonts(), finish(buildId)],
  resolve: { alias: { "@": source } },
  define: {
    __BUILD_ID__: JSON.stringify(buildId),
    __VUE_OPTIONS_API__: "true",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __INTLIFY_PROD_DEVTOOLS__: "false",
  },
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: false },
  server: {
    proxy: { "/api": api, "/socket.io": { target: api, ws: true } },
  },
  // Most of them wait for a clock: more at once than there are cores.
  test: { include: ["tests/**/*.test.ts"], environment: "node", maxWorkers: 6 },
});
