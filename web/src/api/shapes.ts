// The API's shapes by the names this client uses; the types themselves are generated (`bin/workspace docs client-types`).
import type { components } from "./types";

type Shapes = components["schemas"];

export type Person = Shapes["PersonOut"];
export type SignedIn = Shapes["SignInOut"];
export type MySignIn = Shapes["MySignInOut"];
export type Colleague = Shapes["ColleagueOut"];
export type Unit = Shapes["UnitOut"];
export type Me = Shapes["MeOut"] & { tenant: { slug: string; name: string; currency: string } };
export type Post = Omit<Shapes["PostOut"], "subject"> & { subject: Subject | null };
export type WholePost = Post & { audience: Shapes["AudienceScopeOut"][] };
export type Comment = Shapes["CommentOut"];
export type Reach = Shapes["ReachOut"];
export type Missing = Shapes["MissingOut"];
export type Figure = Shapes["FigureOut"];
export type Home = Shapes["HomeOut"];
export type Breakdown = Shapes["BreakdownOut"];
export type ErpDocument = Shapes["DocumentOut"];
export type Packet = Shapes["PacketOut"];
export type ListedPacket = Shapes["ListedPacketOut"];
export type PacketProof = Shapes["PacketProofOut"];
export type WaitingPacket = Shapes["WaitingOut"];
export type ErpApproval = Shapes["ApprovalOut"];
export type ErpApprovalDetail = Shapes["ApprovalDetailOut"];
export type ErpDecision = Shapes["DecisionOut"];
export type Grab = Shapes["GrabOut"];
export type Budget = Shapes["BudgetOut"];
export type Payout = Shapes["PayoutOut"];
export type WholePayout = Shapes["PayoutWithItemsOut"];
export type KpiRule = Shapes["KpiRuleOut"];
export type KpiMetric = Shapes["KpiMetricOut"];
export type KpiFires = Shapes["KpiFiresOut"];
export type KpiFire = Shapes["KpiFireOut"];
export type KpiPreview = Shapes["KpiPreviewOut"];
export type KpiProposal = Shapes["KpiProposalOut"];
export type Rain = Shapes["CampaignOut"];
export type RainLine = Shapes["CampaignLineOut"];
export type Flag = Shapes["FlagOut"];
export type RewardReport = Shapes["ReportOut"];
export type MilestoneRule = Shapes["MilestoneRuleOut"];
export type Wallet = Shapes["WalletOut"];
export type WalletEntry = Shapes["WalletEntryOut"];
export type Preferences = Shapes["PreferencesOut"];
export type Notification = Shapes["NotificationOut"];
export type Notifications = Shapes["NotificationsOut"];
export type Unread = Shapes["UnreadOut"];
export type Sync = Shapes["SyncOut"];
export type StreamEvent = Shapes["EventOut"] & { n?: number; data: Record<string, unknown> };
export type Page<Item> = { items: Item[]; next_cursor: string | null };

/** One pick of an audience, as the person makes it. */
export type AudiencePick = { kind: "tenant" | "unit" | "role" | "person"; id?: string; role?: string; include_below?: boolean };
export type Subject = { kind: string; id: string; data: Record<string, unknown> };
