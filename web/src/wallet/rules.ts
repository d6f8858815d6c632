// Pure words and sums of the wallet.
import { i18n, t } from "@/app/i18n";
import type { Wallet } from "@/api/shapes";

type Amount = Wallet["balances"][number];

const known = (key: string, otherwise: string): string => (i18n.global.te(key) ? t(key) : otherwise);

export const nameOfRail = (rail: string | null): string => (rail ? known(`wallet.rail.${rail}`, rail) : "");
export const wordsOfReason = (reason: string): string => known(`wallet.reason.${reason}`, reason);

/** Money first, points by themselves; a wallet that nothing has reached holds none of the company's currency. */
export function partsOf(wallet: Wallet | null, currency: string): { money: Amount[]; points: Amount | null } {
  const money = wallet?.balances.filter((one) => one.unit !== "POINT") ?? [];
  const points = wallet?.balances.find((one) => one.unit === "POINT") ?? null;
  return { money: money.length ? money : [{ amount_minor: 0, unit: currency }], points };
}
