// What the screens of budgets say.
import { addTexts } from "@/app/i18n";

const zh = {
  budgets: {
    one: "奖励预算", none: "没有你能看到的预算", closed: "已关闭", showClosed: "显示已关闭的 {n} 个", period: "{from} – {to}", owner: "负责人", costCentre: "成本中心", periodHead: "有效期", above: "上级预算", below: "下级预算", more: "另有 {n} 个下级预算",
    limit: "额度", available: "可用", held: "预留", spent: "已支出", allotted: "已下拨", cap: "每人最多领取", noCap: "不限", atEnd: "到期后", rolls: "结转到下一期", recovers: "收回未用部分", stays: "留在原处", giveOnly: "仅供赠送", next: "由上一期结转",
    bar: "额度 {limit}：已支出 {spent}，预留 {held}，已下拨 {allotted}，可用 {available}",
    waits: "等待审批的红包", waitsText: "批准前金额已预留在预算上。", change: "调整额度", newLimit: "新的额度（{unit}）", save: "保存", saved: "额度已调整", least: "最低 {amount}", most: "上级预算还可下拨 {amount}", fromAbove: "差额从上级预算下拨或退回。", fromTreasury: "差额从公司资金下拨或退回。", changed: "预算在此期间有变动，请按最新金额再试。",
    recover: "收回未用金额", recoverSure: "确认收回", recoverText: "收回 {amount} 并关闭该预算；未开始的红包一并撤回。", recovered: "已收回", uncertain: "上次收回没有收到回应；再试一次不会重复。",
  },
};

const en: typeof zh = {
  budgets: {
    one: "Reward budget", none: "There is no budget that you may see", closed: "Closed", showClosed: "Show the {n} closed ones", period: "{from} – {to}", owner: "Owner", costCentre: "Cost centre", periodHead: "Period", above: "Carved out of", below: "Budgets below", more: "{n} more below",
    limit: "Limit", available: "Available", held: "Held", spent: "Spent", allotted: "Given on", cap: "Most for one person", noCap: "No cap", atEnd: "At its end", rolls: "The rest goes on", recovers: "The rest goes back", stays: "The rest stays", giveOnly: "Only to give", next: "Goes on from the period before",
    bar: "Limit {limit}: {spent} spent, {held} held, {allotted} given on, {available} available",
    waits: "Packets that wait for approval", waitsText: "Their money is held here until somebody decides.", change: "Change the limit", newLimit: "New limit ({unit})", save: "Save", saved: "The limit was changed", least: "At least {amount}", most: "The budget above has {amount} to give", fromAbove: "The difference comes out of, or goes back to, the budget above.", fromTreasury: "The difference comes out of, or goes back to, the treasury.", changed: "The budget was changed meanwhile; please look at it and try again.",
    recover: "Take back what is unused", recoverSure: "Take it back", recoverText: "Takes {amount} back and closes the budget; packets that have not opened are withdrawn.", recovered: "Taken back", uncertain: "The last attempt was not answered; trying again takes it back once.",
  },
};

addTexts({ zh, en });
