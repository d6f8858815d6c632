// The texts of points, their catalogue and redemptions.
import { addTexts } from "@/app/i18n";

const zh = {
  points: {
    title: "积分", have: "可用积分", reserved: "另有 {n} 积分用于进行中的兑换", expiring: "{n} 积分将在 {day} 后过期", rule: { end_of_year: "积分有效至领取后第 {n} 年的年末（12 月 31 日），先到先用", months: "积分自领取起 {n} 个月内有效，先到先用", never: "积分长期有效" },
    offered: "可兑换", noneOffered: "暂时没有可兑换的商品", price: "{n} 积分", left: "剩 {n} 件", soldOut: "已兑完", lacks: "还差 {n} 积分",
    mine: "我的兑换", noneMine: "还没有兑换过", all: "全部兑换",
    quantity: "数量", less: "减少一件", oneMore: "增加一件", total: "合计", after: "兑换后剩余", limit: "每人限 {n} 件", needsApproval: "提交后需要审批，通过后发放；审批前积分先预留。", straight: "提交后即可领取，积分先预留，发放时扣除。",
    redeem: "用 {n} 积分兑换", redeemed: "已兑换", asked: "已提交，等待审批",
    priceChanged: "价格已从 {before} 变为 {now} 积分，没有兑换。确认新价格后请再点一次。", only: "只剩 {n} 件，没有兑换。请减少数量后再试。", goneNow: "刚刚被兑完，没有兑换。", short: "积分不足：需要 {requested}，可用 {available}。没有兑换。", limitReached: "每人限 {limit} 件，你已兑换 {taken} 件。没有兑换。",
    uncertain: "上次兑换没有收到回应，可能已经成功。内容不变再试一次，不会重复扣积分。", earlierGone: "之前那一次兑换已经成功，现在的修改没有提交。", earlierGoneWith: "之前那一次兑换（{n} 件，{points} 积分）已经成功，现在的修改没有提交。", seeEarlier: "查看之前的兑换", another: "再兑换一次",
  },
  redemption: {
    title: "兑换", of: "{name} × {n}", by: "兑换人", step: { asked: "提交兑换", approved: "批准", fulfilled: "发放", declined: "拒绝", withdrawn: "撤回" }, straight: "无需审批",
    state: { reserved: "待批准", approved: "待发放", fulfilled: "已发放", declined: "已拒绝", withdrawn: "已撤回" },
    says: { reserved: "积分已预留，等待审批。", approved: "已通过，请等待或联系管理员领取。", fulfilled: "已发放，祝使用愉快。", declined: "积分已退回，30 天内不会过期。", withdrawn: "积分已退回。" },
    withdraw: "撤回兑换", withdrawText: "撤回后 {n} 积分立即退回。", withdrawn: "已撤回，积分已退回",
    approve: "批准", fulfil: "确认已发放", fulfilText: "确认 {name} 已经拿到？{n} 积分随即扣除，不能撤回。", decline: "拒绝", reason: "原因（对方可见）", done: { approve: "已批准", fulfil: "已发放", decline: "已拒绝，积分已退回" },
    handle: "兑换处理", noneToHandle: "这里没有兑换", gone: "兑换已被处理，请看最新状态。",
  },
  catalogue: {
    title: "商品目录", keep: "管理商品", none: "还没有商品", add: "添加商品", change: "修改商品", off: "已下架", unlimited: "不限量", stock: "库存 {n}",
    nameZh: "中文名称", nameEn: "英文名称", aboutZh: "中文说明（可不填）", aboutEn: "英文说明（可不填）", price: "价格（积分）", stockLabel: "库存（不填为不限量）", limit: "每人限兑（不填为不限）", approval: "兑换需要审批", active: "上架", unit: "对谁开放", everybody: "全员", worth: "计税价值（元/件）",
    badPrice: "价格须为正整数", badCount: "须为整数", badWorth: "金额不正确，最多两位小数", save: "保存", saved: "已保存", changed: "商品刚被他人修改。你没有改动的内容已更新，请核对后再保存。",
    uncertain: "上次保存没有收到回应，商品可能已经添加。内容不变再保存一次，不会重复。", earlierGone: "之前那一次已经添加，现在的修改没有提交。", seeEarlier: "查看目录", another: "另添加一件",
  },
};

const en: typeof zh = {
  points: {
    title: "Points", have: "Points to redeem", reserved: "{n} more are held by open redemptions", expiring: "{n} points expire after {day}", rule: { end_of_year: "Points live until 31 December of the year you got them plus {n}; the oldest are used first", months: "Points live for {n} months; the oldest are used first", never: "Points do not expire" },
    offered: "To redeem", noneOffered: "There is nothing to redeem now", price: "{n} points", left: "{n} left", soldOut: "None left", lacks: "{n} points short",
    mine: "My redemptions", noneMine: "You have not redeemed anything yet", all: "All redemptions",
    quantity: "Pieces", less: "One less", oneMore: "One more", total: "In all", after: "Left afterwards", limit: "{n} for one person", needsApproval: "Somebody approves it first; your points are held until then.", straight: "It is yours to collect; your points are held until you have it.",
    redeem: "Redeem for {n} points", redeemed: "Redeemed", asked: "Submitted, waits for approval",
    priceChanged: "The price went from {before} to {now} points; nothing was redeemed. Tap once more to agree.", only: "Only {n} are left; nothing was redeemed. Please take fewer.", goneNow: "The last one has just gone; nothing was redeemed.", short: "Not enough points: {requested} needed, {available} there. Nothing was redeemed.", limitReached: "{limit} for one person, and you have {taken}. Nothing was redeemed.",
    uncertain: "The last attempt was not answered: it may have been redeemed. Trying again unchanged takes points once.", earlierGone: "The earlier redemption was made; what you changed since was not.", earlierGoneWith: "The earlier redemption ({n} for {points} points) was made; what you changed since was not.", seeEarlier: "See the earlier one", another: "Redeem another",
  },
  redemption: {
    title: "Redemption", of: "{name} × {n}", by: "By", step: { asked: "Asked for", approved: "Approved", fulfilled: "Handed over", declined: "Declined", withdrawn: "Withdrawn" }, straight: "No approval needed",
    state: { reserved: "To approve", approved: "To hand over", fulfilled: "Handed over", declined: "Declined", withdrawn: "Withdrawn" },
    says: { reserved: "Your points are held while it waits for approval.", approved: "It is approved; wait for it or ask whoever hands it out.", fulfilled: "You have it. Enjoy!", declined: "Your points are back and live for 30 days at least.", withdrawn: "Your points are back." },
    withdraw: "Withdraw", withdrawText: "{n} points come back at once.", withdrawn: "Withdrawn; your points are back",
    approve: "Approve", fulfil: "Handed over", fulfilText: "Has {name} got it? Their {n} points are then spent, and cannot come back.", decline: "Decline", reason: "Reason (they will read it)", done: { approve: "Approved", fulfil: "Handed over", decline: "Declined; the points are back" },
    handle: "Redemptions to handle", noneToHandle: "There are no redemptions here", gone: "It was handled meanwhile; this is how it stands.",
  },
  catalogue: {
    title: "Catalogue", keep: "Keep the catalogue", none: "There are no items yet", add: "Add an item", change: "Change the item", off: "Not on offer", unlimited: "Unlimited", stock: "{n} in stock",
    nameZh: "Name in Chinese", nameEn: "Name in English", aboutZh: "About it in Chinese (optional)", aboutEn: "About it in English (optional)", price: "Price (points)", stockLabel: "Stock (unlimited, if left out)", limit: "Pieces a person (no limit, if left out)", approval: "Needs approval", active: "On offer", unit: "For whom", everybody: "Everybody", worth: "Taxable worth (yuan each)",
    badPrice: "A whole number above zero", badCount: "A whole number", badWorth: "Not an amount (two decimals at most)", save: "Save", saved: "Saved", changed: "Somebody else has just changed it. What you did not touch is up to date now; please look before you save.",
    uncertain: "The last attempt was not answered: the item may be there. Saving again unchanged adds it once.", earlierGone: "The earlier item was added; what you changed since was not.", seeEarlier: "See the catalogue", another: "Add another",
  },
};

addTexts({ zh, en });
