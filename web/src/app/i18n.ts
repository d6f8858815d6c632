// Texts in Chinese (the default) and English; both have the same keys, which the compiler checks.
import { computed } from "vue";
import { createI18n } from "vue-i18n";
import { en } from "./texts/en";
import { zh } from "./texts/zh";

export type Language = "zh-CN" | "en";

const KEY = "workspace.language";

export const i18n = createI18n({
  legacy: false,
  locale: preferred(),
  fallbackLocale: "zh-CN",
  messages: { "zh-CN": zh, en },
});

export const t = i18n.global.t;
export const locale = computed<Language>(() => i18n.global.locale.value as Language);
export const isChinese = computed(() => locale.value === "zh-CN");

/** Texts that come with a screen, for what few people open; both languages have the same keys here too. */
export function addTexts<Added extends object>(added: { zh: Added; en: Added }): void {
  i18n.global.mergeLocaleMessage("zh-CN", added.zh);
  i18n.global.mergeLocaleMessage("en", added.en);
}

export function speak(language: Language): void {
  i18n.global.locale.value = language;
  keep(language);
  document.documentElement.lang = language;
  document.title = t("app.name");
}

function preferred(): Language {
  try {
    return localStorage.getItem(KEY) === "en" ? "en" : "zh-CN";
  } catch {
    return "zh-CN";
  }
}

function keep(language: Language): void {
  localStorage.setItem(KEY, language);
}
