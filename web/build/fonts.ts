// Vant's icon font would come from another company's server; no icon of it is used, so it is left out.
import type { Plugin } from "vite";

export function withoutForeignFonts(): Plugin {
  return {
    name: "workspace-fonts",
    enforce: "pre",
    transform(code, id) {
      if (!/vant\/(es|lib)\/icon\/index\.css/.test(id)) return null;
      return { code: code.replace(/@font-face\s*\{[^}]*\}/g, ""), map: null };
    },
  };
}
