// What follows the bundle: the service worker, the build's id, compressed copies, and the size of the first load.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, type Plugin } from "vite";

const FIRST_LOAD_BYTES_MAX = 200 * 1024;
const COMPRESSIBLE = /\.(js|css|html|svg|json|webmanifest)$/;
const LATER = /^(sw\.js|build\.json|robots\.txt|icon-)/;

export function finish(buildId: string): Plugin {
  let folder = "";
  let isProduction = false;
  return {
    name: "workspace-finish",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir.startsWith("/") ? config.build.outDir : join(config.root, config.build.outDir);
      isProduction = !config.build.ssr;
    },
    async closeBundle() {
      if (!isProduction) return;
      await buildServiceWorker(folder, buildId);
      writeFileSync(join(folder, "build.json"), JSON.stringify({ id: buildId }));
      filesIn(folder).filter((name) => COMPRESSIBLE.test(name)).forEach((name) => compress(join(folder, name)));
      weigh(folder);
    },
  };
}

/** The service worker knows every file of this build, so that the shell opens without a network. */
async function buildServiceWorker(folder: string, buildId: string): Promise<void> {
  const kept = filesIn(folder).filter((name) => !LATER.test(name));
  const entries = kept.map((url) => ({ url: `/${url}`, revision: url.startsWith("assets/") ? null : buildId }));
  await build({
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    define: { __PRECACHE__: JSON.stringify(entries), "process.env.NODE_ENV": '"production"' },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: "es2022",
      lib: {
        entry: fileURLToPath(new URL("../src/sw.ts", import.meta.url)),
        formats: ["iife"],
        name: "sw",
        fileName: () => "sw.js",
      },
    },
  });
}

function compress(path: string): void {
  const bytes = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
}

/** Says what a phone fetches before it shows the first screen, and refuses a build that fetches too much. */
function weigh(folder: string): void {
  const html = readFileSync(join(folder, "index.html"), "utf8");
  const scripts = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((found) => found[1] as string);
  const bytes = scripts.reduce((sum, name) => sum + statSync(join(folder, `${name}.gz`)).size, 0);
  console.log(`first load: ${(bytes / 1024).toFixed(1)} KB of JavaScript, compressed (at most 200)`);
  if (bytes > FIRST_LOAD_BYTES_MAX) throw new Error("The first load is too heavy: load something lazily.");
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
