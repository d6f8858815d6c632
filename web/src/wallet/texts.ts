// The texts of the wallet's screen.
import { addTexts } from "@/app/i18n";

const zh = {
  wallet: {
    money: "待发放奖励", points: "积分", onItsWay: "另有 {amount} 正在发放", none: "收到的奖励会出现在这里",
    payouts: "发放", noPayouts: "还没有发放过。财务发放奖励后，可在这里看到每一笔走到了哪一步。",
    way: { payroll: "随工资发放", rail: "转账到{rail}" }, period: "{month} 期", state: { prepared: "待放行", on_its_way: "发放中", paid: "已到账", returned: "已退回钱包" }, reason: { rejected: "发放前被退回" },
    accounts: "收款账户", accountsText: "只有你本人能填写。更改后你的所有设备都会收到通知；已在发放中的款项仍付到原账户。", noRails: "本企业随工资发放奖励，无需填写收款账户。",
    rail: { wechat: "微信" }, notNamed: "未填写", changed: "{at} 更改", name: "填写", account: "{rail}收款账户标识", saved: "收款账户已保存",
  },
};

const en: typeof zh = {
  wallet: {
    money: "To be paid out", points: "Points", onItsWay: "{amount} more is on its way to you", none: "Rewards you receive appear here",
    payouts: "Payouts", noPayouts: "Nothing has been paid out yet. Once finance pays, you see here how far each payment came.",
    way: { payroll: "With the payroll", rail: "To {rail}" }, period: "for {month}", state: { prepared: "To be released", on_its_way: "On its way", paid: "Paid", returned: "Back in the wallet" }, reason: { rejected: "Sent back before it was released" },
    accounts: "Where I am paid", accountsText: "Only you can set it. All your devices are told when it changes; what is on its way already still goes to the old one.", noRails: "Rewards are paid with the payroll here; there is nothing to fill in.",
    rail: { wechat: "WeChat" }, notNamed: "Not set", changed: "changed {at}", name: "Set", account: "My account at {rail}", saved: "Saved where you are paid",
  },
};

addTexts({ zh, en });
