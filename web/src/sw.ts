// The service worker: keeps the files of one build, and opens any screen of the app from them without a network.
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute, type PrecacheEntry } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";

declare const __PRECACHE__: PrecacheEntry[];
const scope = self as unknown as ServiceWorkerGlobalScope;

cleanupOutdatedCaches();
precacheAndRoute(__PRECACHE__);
registerRoute(new NavigationRoute(createHandlerBoundToURL("/index.html"), { denylist: [/^\/api\//, /^\/dev\//, /^\/socket\.io/] }));

// A new build waits until the person agrees: what is being written is saved first.
scope.addEventListener("message", (event) => {
  if (event.data === "take_over") void scope.skipWaiting();
});
