// Whether a packet was cut as its commitment said before anybody took from it (`redpackets/fairness.py` says how).
import type { PacketProof } from "@/api/shapes";

export type Verdict = "waits" | "holds" | "broken" | "unchecked";

/** The text whose SHA-256 was published when the packet opened. */
export function canonical(proof: PacketProof): string {
  const { split, unit, total_minor, share_count, min_minor, max_minor } = proof.parameters;
  return [proof.algorithm, proof.packet_id, split, unit, total_minor, share_count, min_minor, max_minor, proof.seed, proof.shares?.join(",")].join("\n");
}

/** Recompute the commitment on this device; "unchecked" where the page may not compute hashes (no HTTPS). */
export async function verify(proof: PacketProof): Promise<Verdict> {
  if (!proof.seed || !proof.shares || !proof.commitment) return "waits";
  if (!globalThis.crypto?.subtle) return "unchecked";
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(proof))));
  const hex = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const adds = proof.shares.reduce((sum, share) => sum + share, 0) === proof.parameters.total_minor;
  return hex === proof.commitment && adds ? "holds" : "broken";
}
