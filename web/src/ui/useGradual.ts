// Lets a long list appear over several frames the first time, so that a slow phone can be touched in between.
import { computed, type ComputedRef, onScopeDispose, ref, watch } from "vue";

const FRAME_MS = 16;
/** Lists that have appeared before: whoever comes back finds them whole, and where they had scrolled to. */
const seen = new Set<string>();

export function useGradual<Item>(name: string, items: () => Item[], atOnce = 2): ComputedRef<Item[]> {
  const shown = ref(seen.has(name) ? Infinity : atOnce);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function grow(): void {
    clearTimeout(timer);
    if (!items().length || shown.value === Infinity) return;
    if (shown.value >= items().length) {
      seen.add(name);
      shown.value = Infinity;
      return;
    }
    timer = setTimeout(() => {
      shown.value += 1;
      grow();
    }, FRAME_MS);
  }

  watch(() => items().length, grow, { immediate: true });
  onScopeDispose(() => clearTimeout(timer));
  return computed(() => items().slice(0, shown.value));
}
