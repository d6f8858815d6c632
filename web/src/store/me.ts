// Who I am and what I may do.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { keep, recall } from "./db";
import { thisStay } from "./stay";
import { get } from "@/api/call";
import { person } from "@/api/session";
import type { Me, Page, Unit } from "@/api/shapes";

export const useMe = defineStore("me", () => {
  const me = ref<Me | null>(null);
  const units = ref<Unit[]>([]);
  const isBegun = ref(false);
  const id = computed(() => person.value?.id ?? "");
  /** Where the company counts its days. */
  const timeZone = computed(() => me.value?.time_zone ?? "Asia/Shanghai");
  const homeUnit = computed(() => me.value?.units[0] ?? null);

  const may = (permission: string): boolean => me.value?.permissions.includes(permission) ?? false;

  async function restore(): Promise<void> {
    const isStill = thisStay();
    const [kept, tree] = await Promise.all([recall<Me>("me"), recall<Unit[]>("units")]);
    if (isStill() && kept && !me.value) [me.value, units.value] = [kept, tree ?? []];
  }

  /** Read once; news tells when to read again. */
  async function begin(): Promise<void> {
    if (!isBegun.value) await refresh();
  }

  async function refresh(): Promise<void> {
    const isStill = thisStay();
    isBegun.value = true;
    try {
      const [whole, tree] = await Promise.all([get<Me>("/me"), get<Page<Unit>>("/directory/units")]);
      if (!isStill()) return;
      [me.value, units.value] = [whole, tree.items];
      void keep("me", whole);
      void keep("units", tree.items);
    } catch (error) {
      if (isStill()) isBegun.value = false;
      throw error;
    }
  }

  function clear(): void {
    [me.value, units.value, isBegun.value] = [null, [], false];
  }

  return { me, units, isBegun, id, timeZone, homeUnit, may, restore, begin, refresh, clear };
});
