// What the screens of reward rules, restated figures and milestone gifts say.
import { addTexts } from "@/app/i18n";

const zh = {
  rules: {
    one: "奖励规则", none: "还没有奖励规则", make: "新建规则", active: "生效中", paused: "已暂停", pause: "暂停", resume: "恢复", pausedIt: "已暂停", resumedIt: "已恢复", changed: "规则在此期间有变动，已显示最新内容。",
    metric: { ordered_net: "订单额", shipped_net: "发货额", invoiced_net: "开票收入", invoiced_of_orders: "订单已开票额", expense: "费用", gross_profit: "毛利", ordered_gross_profit: "订单毛利", fulfilment: "订单发货率" },
    metricLabel: "看哪个指标", comparison: { value: "达到数值", target: "达到目标", growth: "同比增长" }, comparisonLabel: "条件", threshold: { money: "达到（元）", count: "达到（数量）", percent: "达到（%）" },
    when: { value: "{metric}达到 {threshold}", target: "{metric}达到目标的 {threshold}", growth: "{metric}同比增长 {threshold}" }, period: { month: "每月", quarter: "每季", year: "每年" }, periodLabel: "周期", deadline: "前几天内（可不填）", within: "前 {n} 天内",
    about: "考核谁", aboutHint: "选部门或选人，不能混选", children: "每个下级组织各自考核", subjects: { units: "{names}", children: "{names} 的每个下级组织", persons: "{n} 人" },
    name: "规则名称", budget: "从哪个预算", gives: { total: "总额", per_head: "每人" }, givesLabel: "奖励", amount: "金额（元）", points: "积分", split: { equal: "均分", lucky: "拼手气", one: "一人独得" }, splitLabel: "分法", audience: { subject: "本人", unit: "所在部门" }, audienceLabel: "奖给谁", keptOpen: "{n} 小时内领取", startsOn: "{at} 起",
    givesTotal: "{amount}，{split}", givesHead: "每人 {amount}，{split}",
    preview: "用去年的数据试算", previewing: "试算中…", wouldFire: "会触发的", noneWould: "一次也不会触发。", notJudged: "{n} 个周期无法判断", previewFirst: "保存前先试算一次，看清它会花多少钱。", save: "保存规则", saved: "规则已生效",
    uncertain: "上次保存没有收到回应，规则可能已经生效。内容不变再保存一次，不会重复。", earlierGone: "之前那一条规则已经保存，现在的修改没有保存。", seeEarlier: "查看已保存的", another: "另存一条",
    terms: "生效", paysFrom: "预算", for: "事由", fires: "触发记录", noFires: "还没有触发过", firedOn: "{at} 触发", valueOf: "{value}", against: "目标 {target}", lastYear: "去年同期 {value}", documents: "{n} 张 ERP 单据", documentsKept: "以上是最新的 {n} 张，更早的没有保留", hidden: "指标仅对有权限的人显示", asOf: "数据截至 {at}", packet: "查看红包",
    misses: "未能触发", missesText: "无法判断或无法发放时不会触发，并在此说明原因；条件满足后会自动再试。", last: "最近一次 {at}",
    reason: { figure_missing: "缺少指标数据", figure_stale: "指标数据已过时", target_missing: "没有设定目标", target_zero: "目标为零", base_zero: "去年同期为零", insufficient_budget: "预算余额不足", period_closed: "预算不在有效期内", scope_empty: "没有可领取的人", cannot_split: "金额无法按人数拆分", owner_inactive: "规则负责人已离开", owner_not_allowed: "规则负责人已无权使用该预算", other: "暂时无法执行（{code}）" },
  },
  proposals: {
    none: { open: "没有等待决定的", accepted: "还没有收回过", rejected: "还没有保留过" }, state: { open: "待决定", accepted: "已收回", rejected: "已保留" }, what: "{subject} 的{metric}", then: "触发时", now: "现在", target: "目标", given: "红包", left: "未领取", restatedAt: "{at} 下调",
    accept: "收回未领取的", acceptAmount: "收回 {amount}", reject: "保留", reason: "原因（必填）", done: { accepted: "已收回", rejected: "已保留" }, mine: "你是规则负责人，由他人决定。", decided: "{name} · {at}", text: "已领取的不会追回；是否收回未领取的部分，由与此无关的人决定。",
    outcome: { cancelled: "红包已撤回，全部退回预算", closed: "剩余部分已退回预算", nothing_left: "已没有可收回的" },
  },
  rains: { none: "还没有红包雨", cancelled: "已取消", claimed: "已领取 {amount}，共 {n} 个", cap: "每人最多 {n} 个", waves: "各波次", taken: "已领 {n}/{of}", cancel: "取消未开始的波次", cancelText: "将撤回 {n} 个未开始的波次，金额退回预算；已经开始的不受影响。" },
  milestones: { none: "还没有纪念日规则", birthday: "生日", anniversary: "入职周年", gives: "每人 {amount}", step: "满 {n} 年 {amount}", refusal: "最近一次未能发出：{why}", startsOn: "{at} 起", pause: "暂停", resume: "恢复" },
};

const en: typeof zh = {
  rules: {
    one: "Reward rule", none: "There are no rules yet", make: "New rule", active: "Active", paused: "Paused", pause: "Pause", resume: "Resume", pausedIt: "Paused", resumedIt: "Active again", changed: "The rule was changed meanwhile; this is how it stands.",
    metric: { ordered_net: "Orders", shipped_net: "Shipments", invoiced_net: "Income", invoiced_of_orders: "Invoiced orders", expense: "Expense", gross_profit: "Gross profit", ordered_gross_profit: "Profit of orders", fulfilment: "Share shipped" },
    metricLabel: "Which figure", comparison: { value: "A value", target: "Its target", growth: "Growth" }, comparisonLabel: "When it reaches", threshold: { money: "At least (amount)", count: "At least", percent: "At least (%)" },
    when: { value: "{metric} of at least {threshold}", target: "{metric} of at least {threshold} of target", growth: "{metric} at least {threshold} above last year" }, period: { month: "Each month", quarter: "Each quarter", year: "Each year" }, periodLabel: "Period", deadline: "Within days (optional)", within: "within {n} days",
    about: "About", aboutHint: "Units or persons, not both", children: "Each unit right below on its own", subjects: { units: "{names}", children: "each unit below {names}", persons: "{n} persons" },
    name: "Name", budget: "From which budget", gives: { total: "In all", per_head: "Each" }, givesLabel: "Gives", amount: "Amount", points: "Points", split: { equal: "in equal shares", lucky: "in lucky shares", one: "to one person" }, splitLabel: "Cut", audience: { subject: "The person", unit: "Their unit" }, audienceLabel: "To whom", keptOpen: "open for {n} hours", startsOn: "from {at} on",
    givesTotal: "{amount}, {split}", givesHead: "{amount} each, {split}",
    preview: "Try it on last year", previewing: "Trying…", wouldFire: "When it would have fired", noneWould: "It would not have fired once.", notJudged: "{n} periods cannot be judged", previewFirst: "Try it before you keep it, to see what it costs.", save: "Keep this rule", saved: "The rule is active",
    uncertain: "The last attempt was not answered: the rule may be there. Keeping it again unchanged keeps it once.", earlierGone: "The earlier rule was kept; what you changed since was not.", seeEarlier: "See the earlier one", another: "Keep another",
    terms: "In force", paysFrom: "Budget", for: "For", fires: "What it fired", noFires: "It has not fired yet", firedOn: "Fired {at}", valueOf: "{value}", against: "target {target}", lastYear: "last year {value}", documents: "{n} ERP documents", documentsKept: "These are the newest {n}; older ones were not kept", hidden: "Its figure is shown to those who may see it", asOf: "Data as of {at}", packet: "See the packet",
    misses: "Why it did not fire", missesText: "What cannot be judged or paid does not fire; it is tried again by itself.", last: "last {at}",
    reason: { figure_missing: "The figure is not there", figure_stale: "The figure is out of date", target_missing: "No target is set", target_zero: "The target is zero", base_zero: "There was nothing in the same period last year", insufficient_budget: "The budget does not have enough left", period_closed: "The budget's period is not open", scope_empty: "Nobody is there to receive it", cannot_split: "The amount cannot be cut for so many", owner_inactive: "Its owner has left", owner_not_allowed: "Its owner may no longer spend its budget", other: "It could not be done ({code})" },
  },
  proposals: {
    none: { open: "Nothing waits for a decision", accepted: "Nothing was taken back yet", rejected: "Nothing was left as it is yet" }, state: { open: "To decide", accepted: "Taken back", rejected: "Left" }, what: "{metric} of {subject}", then: "When it fired", now: "Now", target: "Target", given: "Packet", left: "Not taken", restatedAt: "restated {at}",
    accept: "Take it back", acceptAmount: "Take back {amount}", reject: "Leave it", reason: "Reason (needed)", done: { accepted: "Taken back", rejected: "Left as it is" }, mine: "You answer for this rule: somebody else decides.", decided: "{name} · {at}", text: "What was taken stays taken. Whether the rest goes back is for somebody with no part in it to decide.",
    outcome: { cancelled: "The packet was withdrawn; all of it is back in the budget", closed: "The rest is back in the budget", nothing_left: "Nothing was left to take back" },
  },
  rains: { none: "There are no rains yet", cancelled: "Cancelled", claimed: "{amount} taken, {n} shares in all", cap: "{n} for one person at most", waves: "Waves", taken: "{n} of {of} taken", cancel: "Withdraw what is to come", cancelText: "Withdraws {n} waves that have not opened; their money goes back to the budget. What has fallen stays." },
  milestones: { none: "There are no milestone rules yet", birthday: "Birthday", anniversary: "Work anniversary", gives: "{amount} each", step: "{amount} from {n} years on", refusal: "The last one could not be given: {why}", startsOn: "from {at} on", pause: "Pause", resume: "Resume" },
};

addTexts({ zh, en });
