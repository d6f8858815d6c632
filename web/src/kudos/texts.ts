// The texts of thanking colleagues.
import { addTexts } from "@/app/i18n";

const zh = {
  kudos: {
    title: "感谢同事", left: "本月还可送出", of: "本月共 {all}，已送出 {given}，{day} 前有效，过期清零", none: "你目前没有可送出的额度", unitLabel: "用什么感谢", unit: { POINT: "积分", CNY: "现金" },
    to: "感谢谁", choose: "选择同事", chosen: "{n} 人", chooseTitle: "选择要感谢的同事", search: "按姓名查找同事", members: "同组织的同事", nobody: "没有找到同事", doneWith: "完成（{n} 人）", remove: "移除 {name}", most: "一次最多感谢 {n} 人",
    each: "每人（积分）", eachMoney: "每人（元）", badAmount: "金额不正确", over: "超出本月剩余额度 {left}", text: "感谢的话", placeholder: "说说TA做了什么", value: "体现的价值观（可不填）", valuePlaceholder: "例如：合作",
    give: "送出 {amount}", given: "已送出", note: "对方立即收到，并看到你写的话。只能送给别人，不能自己留用。",
    short: "额度不足：需要 {requested}，还剩 {available}。没有送出。", receiver: "{name}：{why}",
    uncertain: "上次送出没有收到回应，可能已经送到。内容不变再送一次，不会重复扣额度。", earlierGone: "之前那一次已经送出，现在的修改没有送出。", earlierGoneWith: "之前那一次（{amount}，{n} 人）已经送出，现在的修改没有送出。", seeEarlier: "查看已送出的", another: "再送一次",
  },
};

const en: typeof zh = {
  kudos: {
    title: "Thank colleagues", left: "To give this month", of: "{all} this month, {given} given, until {day}; what is left then lapses", none: "You have nothing to give at present", unitLabel: "Thank with", unit: { POINT: "Points", CNY: "Money" },
    to: "Whom", choose: "Choose colleagues", chosen: "{n} chosen", chooseTitle: "Whom to thank", search: "Find a colleague by name", members: "Colleagues of my unit", nobody: "No colleague was found", doneWith: "Done ({n})", remove: "Take out {name}", most: "{n} people at once at most",
    each: "To each (points)", eachMoney: "To each (yuan)", badAmount: "Not an amount", over: "More than the {left} you have left", text: "What for", placeholder: "Say what they did", value: "A value of the company (optional)", valuePlaceholder: "Teamwork, for example",
    give: "Give {amount}", given: "Given", note: "They get it at once, with your words. It can only be given to others.",
    short: "Not enough: {requested} needed, {available} left. Nothing was given.", receiver: "{name}: {why}",
    uncertain: "The last attempt was not answered: it may have been given. Giving it again unchanged counts once.", earlierGone: "The earlier thanks were given; what you changed since was not.", earlierGoneWith: "The earlier thanks ({amount} to {n}) were given; what you changed since was not.", seeEarlier: "See the earlier ones", another: "Give once more",
  },
};

addTexts({ zh, en });
