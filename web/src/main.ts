import { createPinia } from "pinia";
import { createApp, watch } from "vue";
import "vant/es/toast/style/index";
import "vant/es/dialog/style/index";
import "@/app/styles.css";
import App from "@/app/App.vue";
import { whenIdle } from "@/app/idle";
import { i18n, locale, speak } from "@/app/i18n";
import { onReturn } from "@/app/network";
import { router } from "@/app/router";
import { applyTheme } from "@/app/theme";
import { lookForUpdate, startServiceWorker } from "@/app/updates";
import { person } from "@/api/session";
import { tellLanguage } from "@/people/language";
import { useNotices } from "@/store/notices";
import { followSignIn } from "@/store/presence";

speak(locale.value);
applyTheme();
const app = createApp(App).use(createPinia()).use(i18n).use(router);
const begun = followSignIn();
router.afterEach((to) => person.value && useNotices().readAbout(to.path));
watch(person, (now) => {
  void tellLanguage();
  if (!now && !router.currentRoute.value.meta.isPublic) {
    void router.replace({ path: "/sign-in", query: { then: router.currentRoute.value.fullPath } });
  }
});
app.mount("#app");

// Installing it fetches the whole app, so the first screen goes first.
void begun.then(() => whenIdle(startServiceWorker)).then(lookForUpdate);
onReturn(() => void lookForUpdate());
void begun.then(tellLanguage);
onReturn(() => void tellLanguage());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void lookForUpdate();
});
void navigator.storage?.persist?.().catch(() => false);
