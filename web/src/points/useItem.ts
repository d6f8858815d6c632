// An item of the catalogue being written: typed text into what the server takes. Of a change only what was changed is
// sent; the rest follows what others do to the item meanwhile.
import { computed, ref, watch } from "vue";
import { toCount } from "./rules";
import { call } from "@/api/call";
import { asProblem } from "@/api/problem";
import type { CatalogueItem } from "@/api/shapes";
import { asTyped, toMinor } from "@/packets/rules";
import { useDraft } from "@/store/drafts";
import { type Paid, unpaid, usePaying } from "@/store/paying";

const PRICE_MAX = 10 ** 9;
const STOCK_MAX = 1_000_000;
const LIMIT_MAX = 1_000;

type Typed = Record<"nameZh" | "nameEn" | "aboutZh" | "aboutEn" | "price" | "stock" | "limit" | "worth" | "unitId", string> & { needsApproval: boolean; isActive: boolean };
type Draft = Paid & { begun: Typed; typed: Typed };

const EMPTY: Typed = { nameZh: "", nameEn: "", aboutZh: "", aboutEn: "", price: "", stock: "", limit: "", worth: "", unitId: "", needsApproval: false, isActive: true };

function written(item: CatalogueItem | null): Typed {
  if (!item) return { ...EMPTY };
  return {
    nameZh: item.name_zh,
    nameEn: item.name_en,
    aboutZh: item.description_zh,
    aboutEn: item.description_en,
    price: String(item.price_points),
    stock: String(item.stock ?? ""),
    limit: String(item.per_person_limit ?? ""),
    worth: item.cash_value_fen ? asTyped(item.cash_value_fen) : "",
    unitId: item.unit_id ?? "",
    needsApproval: item.needs_approval,
    isActive: item.active,
  };
}

export function useItem(item: () => CatalogueItem | null) {
  const begin = (): Draft => ({ ...unpaid(), begun: written(item()), typed: written(item()) });
  const { draft, isRestored, isReady, discard } = useDraft<Draft>(`item:${item()?.id ?? "new"}`, begin);
  const { problem, isSending, gone, isUncertain, ask, another } = usePaying<CatalogueItem>("/catalogue", draft);
  const isChanging = ref(false);
  const price = computed(() => toCount(draft.typed.price, 1, PRICE_MAX) ?? undefined);
  const stock = computed(() => optional(draft.typed.stock, 0, STOCK_MAX));
  const limit = computed(() => optional(draft.typed.limit, 1, LIMIT_MAX));
  const worth = computed(() => (draft.typed.worth.trim() ? (toMinor(draft.typed.worth) ?? undefined) : 0));
  const isWhole = computed(() => [price, stock, limit, worth].every((one) => one.value !== undefined) && draft.typed.nameZh.trim() !== "" && draft.typed.nameEn.trim() !== "");
  const canSave = computed(() => isReady.value && isWhole.value && !isSending.value && !isChanging.value && (!item() || Object.keys(changes()).length > 0));

  /** What I did not touch follows the item. */
  function follow(): void {
    const now = written(item());
    for (const name of Object.keys(now) as (keyof Typed)[]) {
      if (draft.typed[name] === draft.begun[name]) Object.assign(draft.typed, { [name]: now[name] });
    }
    draft.begun = now;
  }
  watch(item, follow);
  void isRestored.then((wasKept) => wasKept && follow());

  async function save(): Promise<CatalogueItem | null> {
    await isRestored;
    if (!canSave.value) return null;
    const known = item();
    const saved = await (known ? change(known) : ask({ ...body(), unit_id: draft.typed.unitId || null, tax_class: worth.value ? "wage_income" : "not_taxable" }));
    if (saved) await discard();
    return saved;
  }

  async function change(known: CatalogueItem): Promise<CatalogueItem | null> {
    [isChanging.value, problem.value] = [true, null];
    try {
      return await call<CatalogueItem>("PATCH", `/catalogue/${known.id}`, { body: { ...changes(), version: known.version } });
    } catch (error) {
      problem.value = asProblem(error);
      return null;
    } finally {
      isChanging.value = false;
    }
  }

  function changes(): object {
    const [now, before] = [body(), item()];
    const isNowWorth = Boolean(worth.value) && before?.cash_value_fen === 0 && before.tax_class === "not_taxable";
    const changed = Object.entries(now).filter(([name, value]) => value !== before?.[name as keyof CatalogueItem]);
    return { ...Object.fromEntries(changed), ...(isNowWorth && { tax_class: "wage_income" }) };
  }

  const body = () => ({
    name_zh: draft.typed.nameZh.trim(),
    name_en: draft.typed.nameEn.trim(),
    description_zh: draft.typed.aboutZh.trim(),
    description_en: draft.typed.aboutEn.trim(),
    price_points: price.value,
    stock: stock.value,
    per_person_limit: limit.value,
    cash_value_fen: worth.value,
    needs_approval: draft.typed.needsApproval,
    active: draft.typed.isActive,
  });

  return { draft, problem, price, stock, limit, worth, canSave, gone, isUncertain, save, another };
}

/** Null where nothing is typed, undefined where it is no such number. */
function optional(text: string, least: number, most: number): number | null | undefined {
  return text.trim() ? (toCount(text, least, most) ?? undefined) : null;
}
