// Pure decisions about payouts: which months can be paid, what a results file says, and where it is wrong.
import type { FieldErrors } from "@/api/problem";

export const ROWS_SHOWN_MAX = 20;
const MONTHS_OFFERED = 13;

export type RowFault = { row: number | null; text: string };

/** The months that a payout can be for, the one of today first: "2026-11". */
export function monthsUntil(today: string): string[] {
  const [year, month] = today.split("-").map(Number) as [number, number];
  return Array.from({ length: MONTHS_OFFERED }, (_, ago) => {
    const count = year * 12 + month - 1 - ago;
    return `${Math.floor(count / 12)}-${String((count % 12) + 1).padStart(2, "0")}`;
  });
}

/** A sheet as text: UTF-8, or what a Chinese spreadsheet saves where it does not say. */
export function sheetText(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("gb18030").decode(bytes);
  }
}

/** What is wrong with a file: of the whole first, then row by row. */
export function faultsOf(errors: FieldErrors): RowFault[] {
  const faults = Object.entries(errors).map(([path, { text }]) => ({ row: path.startsWith("rows.") ? Number(path.slice(5)) : null, text }));
  return faults.sort((one, other) => (one.row ?? 0) - (other.row ?? 0));
}
