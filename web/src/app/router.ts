// Which address shows which screen; the first segments are also known to the server (`app/page.py`).
import { createRouter, createWebHistory, type RouteRecordRaw, START_LOCATION } from "vue-router";
import { reloadAt } from "./updates";
import { person } from "@/api/session";
import HomeView from "@/figures/HomeView.vue";

declare module "vue-router" {
  interface RouteMeta {
    tab?: "home" | "feed" | "packets" | "messages" | "me";
    isPublic?: boolean;
  }
}

export const routes: RouteRecordRaw[] = [
  { path: "/", redirect: "/home" },
  { path: "/sign-in", component: () => import("@/people/SignInView.vue"), meta: { isPublic: true } },
  { path: "/home", component: HomeView, meta: { tab: "home" } },
  { path: "/cards/:key", component: () => import("@/figures/CardView.vue") },
  { path: "/feed", component: () => import("@/feed/FeedView.vue"), meta: { tab: "feed" } },
  { path: "/feed/compose", component: () => import("@/feed/ComposeView.vue") },
  { path: "/posts/:id", component: () => import("@/feed/PostView.vue"), props: true },
  { path: "/posts/:id/reach", component: () => import("@/feed/ReachView.vue"), props: true },
  { path: "/packets", component: () => import("@/packets/PacketsView.vue"), meta: { tab: "packets" } },
  { path: "/packets/send", component: () => import("@/packets/SendView.vue") },
  { path: "/packets/sent", component: () => import("@/packets/SentView.vue") },
  { path: "/approvals", component: () => import("@/approvals/ApprovalsView.vue") },
  { path: "/approvals/:id", component: () => import("@/approvals/DocumentView.vue"), props: true },
  { path: "/red-packets/:id", component: () => import("@/packets/PacketView.vue"), props: true },
  { path: "/red-packets/:id/proof", component: () => import("@/packets/ProofView.vue"), props: true },
  { path: "/payouts", component: () => import("@/payouts/PayoutsView.vue") },
  { path: "/payouts/new", component: () => import("@/payouts/PrepareView.vue") },
  { path: "/payouts/:id", component: () => import("@/payouts/PayoutView.vue"), props: true },
  { path: "/budgets", component: () => import("@/budgets/BudgetsView.vue") },
  { path: "/budgets/:id", component: () => import("@/budgets/BudgetView.vue"), props: true },
  { path: "/kpi-rules", component: () => import("@/campaigns/RulesView.vue") },
  { path: "/kpi-rules/new", component: () => import("@/campaigns/MakeRuleView.vue") },
  { path: "/kpi-rules/:id", component: () => import("@/campaigns/RuleView.vue"), props: true },
  { path: "/kpi-proposals", component: () => import("@/campaigns/ProposalsView.vue") },
  { path: "/milestone-rules", component: () => import("@/campaigns/MilestonesView.vue") },
  { path: "/milestone-rules/:id", component: () => import("@/campaigns/MilestonesView.vue"), props: true },
  { path: "/rains", component: () => import("@/campaigns/RainsView.vue") },
  { path: "/rains/:id", component: () => import("@/campaigns/RainView.vue"), props: true },
  { path: "/oversight/report", component: () => import("@/oversight/ReportView.vue") },
  { path: "/oversight/flags", component: () => import("@/oversight/FlagsView.vue") },
  { path: "/oversight/flags/:id", component: () => import("@/oversight/FlagView.vue"), props: true },
  { path: "/search", component: () => import("@/search/SearchView.vue") },
  { path: "/people", component: () => import("@/people/PeopleView.vue") },
  { path: "/people/:id", component: () => import("@/people/PersonView.vue"), props: true },
  { path: "/wallet", component: () => import("@/wallet/WalletView.vue") },
  { path: "/points", component: () => import("@/points/PointsView.vue") },
  { path: "/points/catalogue", component: () => import("@/points/CatalogueView.vue") },
  { path: "/redemptions", component: () => import("@/points/RedemptionsView.vue") },
  { path: "/redemptions/:id", component: () => import("@/points/RedemptionView.vue"), props: true },
  { path: "/kudos", component: () => import("@/kudos/KudosView.vue") },
  { path: "/messages", component: () => import("@/messages/MessagesView.vue"), meta: { tab: "messages" } },
  { path: "/me", component: () => import("@/people/MeView.vue"), meta: { tab: "me" } },
  { path: "/me/sessions", component: () => import("@/people/SessionsView.vue") },
  { path: "/me/notifications", component: () => import("@/people/PreferencesView.vue") },
  { path: "/:lost(.*)*", component: () => import("@/app/LostView.vue") },
];

export const router = createRouter({
  history: createWebHistory(),
  routes,
  // The first screen is at its top already; scrolling it would only lay it out once more.
  scrollBehavior: (_to, from, saved) => saved ?? (from === START_LOCATION ? false : { top: 0 }),
});

router.beforeEach((to) => {
  if (!person.value && !to.meta.isPublic) return { path: "/sign-in", query: to.path === "/home" ? {} : { then: to.fullPath } };
  if (person.value && to.path === "/sign-in") return "/home";
  return true;
});

const lost = new WeakSet<Error>();
addEventListener("vite:preloadError", (event) => lost.add((event as Event & { payload: Error }).payload));
router.onError((error, to) => lost.has(error as Error) && void reloadAt(to.fullPath));

/** One step back, or to a safe place for whoever came by a link. */
export function goBack(otherwise: string): void {
  if (window.history.state?.back) router.back();
  else void router.replace(otherwise);
}
