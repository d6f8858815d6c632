// Light, dark, or as the phone is set; and whether gains are red (as in China) or green.
import { computed, ref, watchEffect } from "vue";
import { isChinese } from "./i18n";

export type Theme = "auto" | "light" | "dark";
export type GainColour = "auto" | "red" | "green";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = ref(system.matches);
system.addEventListener("change", (event) => (systemIsDark.value = event.matches));

export const theme = ref<Theme>((localStorage.getItem("workspace.theme") as Theme | null) ?? "auto");
export const gainColour = ref<GainColour>((localStorage.getItem("workspace.gains") as GainColour | null) ?? "auto");
export const isDark = computed(() => (theme.value === "auto" ? systemIsDark.value : theme.value === "dark"));
export const gainsAreRed = computed(() => (gainColour.value === "auto" ? isChinese.value : gainColour.value === "red"));

/** Keep the page's root in step with what was chosen. */
export function applyTheme(): void {
  watchEffect(() => {
    const root = document.documentElement.classList;
    root.toggle("dark", isDark.value);
    root.toggle("van-theme-dark", isDark.value);
    root.toggle("gains-green", !gainsAreRed.value);
    localStorage.setItem("workspace.theme", theme.value);
    localStorage.setItem("workspace.gains", gainColour.value);
  });
}
