// What the screens of those who look after rewards say.
import { addTexts } from "@/app/i18n";

const zh = {
  flags: {
    one: "预警", none: { open: "没有待查看的预警", dismissed: "没有已排除的预警", confirmed: "没有已确认的预警" }, state: { open: "待查看", dismissed: "已排除", confirmed: "已确认" },
    kind: { same_receiver: "多次发给同一人", ring: "相互转圈", split: "疑似拆分规避审批", self_gift: "发给自己" },
    what: { same_receiver: "{a} 给 {b} {n} 次，共 {amount}，占其发出 {total} 的 {share}", ring: "{names} 之间转了 {n} 次，共 {amount}", split: "{a} 一天内发出 {n} 个，共 {amount}，单个均不超过审批线 {threshold}", self_gift: "{a} 领取自己发出的 {n} 次，共 {amount}" },
    window: "{from} – {to}", packets: "相关红包（{n}）", packet: "红包 {n}", dismiss: "排除", confirm: "确认有问题", note: "说明（必填）", done: { dismissed: "已排除", confirmed: "已确认" }, by: "{name} · {at}", mine: "此预警涉及你本人，由其他审计处理。", text: "预警只是提问，不会停止任何红包。",
  },
  report: {
    by: { unit: "按组织", purpose: "按用途", kind: "按方式", budget: "按预算", month: "按月" }, byLabel: "分组", times: { month: "本月", before: "上月", year: "今年" }, timesLabel: "期间", none: "这段时间没有发出过红包", claimed: "领取 {amount}", refunded: "退回 {amount}", receivers: "{n} 人", reached: "触达 {share}", packets: "{n} 个红包", export: "导出 CSV", note: "上级组织的数字包含下级。",
  },
};

const en: typeof zh = {
  flags: {
    one: "Flag", none: { open: "Nothing waits to be looked at", dismissed: "Nothing was dismissed yet", confirmed: "Nothing was confirmed yet" }, state: { open: "To look at", dismissed: "Dismissed", confirmed: "Confirmed" },
    kind: { same_receiver: "Again and again to one person", ring: "Round in a ring", split: "Split below approval", self_gift: "To themselves" },
    what: { same_receiver: "{a} gave {b} {n} times, {amount} in all: {share} of the {total} they gave", ring: "{names} gave each other {n} times, {amount} in all", split: "{a} sent {n} packets in a day, {amount} in all, none above the {threshold} that need approval", self_gift: "{a} took what they had sent {n} times, {amount} in all" },
    window: "{from} – {to}", packets: "The packets ({n})", packet: "Packet {n}", dismiss: "Dismiss", confirm: "Confirm", note: "Why (needed)", done: { dismissed: "Dismissed", confirmed: "Confirmed" }, by: "{name} · {at}", mine: "This is about you: another auditor looks at it.", text: "Flags are questions; they stop no packet.",
  },
  report: {
    by: { unit: "By unit", purpose: "By purpose", kind: "By kind", budget: "By budget", month: "By month" }, byLabel: "Grouped", times: { month: "This month", before: "Last month", year: "This year" }, timesLabel: "Time", none: "No packet was opened in this time", claimed: "{amount} taken", refunded: "{amount} given back", receivers: "{n} people", reached: "reached {share}", packets: "{n} packets", export: "Export CSV", note: "Units have all below them in their figures.",
  },
};

addTexts({ zh, en });
