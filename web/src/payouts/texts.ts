// What the screens of payouts say.
import { addTexts } from "@/app/i18n";

const zh = {
  payouts: {
    one: "发放", none: "还没有发放记录", prepare: "准备发放", prepareDo: "生成待放行的发放", rows: "{n} 笔", taxes: "计税明细（领取当月）", taxExport: "导出计税明细（CSV）", month: "归属月份", scope: "发放范围", allMine: "我负责发放的全部", currency: "币种", total: "总额", count: "笔数",
    note: "把这些人钱包里的现金生成工资表。金额随即从钱包转入在途，由另一人核对放行后才能下载文件；退回则全部回到钱包。",
    uncertain: "上次提交没有收到回应，发放可能已经生成。内容不变再提交一次，不会重复。", earlierGone: "之前那一次已经生成，现在的修改没有提交。", seeEarlier: "查看已生成的", another: "另做一次",
    state: { pending_approval: "待放行", released: "已放行", settled: "已完成", rejected: "已退回" },
    item: { created: "待放行", sent: "在途", unknown: "待核实", success: "已到账", failed: "已退回钱包" },
    tax: { wage_income: "工资薪金", incidental_income: "偶然所得", not_taxable: "不计税" },
    leftOut: { no_employee_number: "{n} 人没有工号", no_account: "{n} 人没有收款账户", below_minimum: "{n} 人低于最低金额" },
    madeBy: "准备人", decidedBy: { released: "放行人", rejected: "退回人" }, settledAt: "完成时间", by: "{name} · {at}", method: "方式", ways: { payroll: "工资表", rail: "转账" }, reason: "原因",
    parts: "汇总", taxClass: "计税类别", stateHead: "状态", amount: "金额", items: "明细", all: "全部", failed: "未到账", noneFailed: "没有未到账的", firstOnly: "显示前 {n} 笔，共 {of} 笔",
    release: "放行", releaseText: "放行 {n} 笔，共 {amount}。放行后即可下载文件，不能再退回。", sendBack: "退回", sendBackText: "退回后，全部金额回到各人钱包。", released: "已放行", sentBack: "已退回", fourEyes: "由你准备，须由另一人放行或退回。",
    file: "工资表文件", download: "下载工资表（CSV）", hash: "文件校验（SHA-256）", results: "导入发放结果", resultsText: "在工资表上加两列：result（paid 或 failed）和 reason；最后一行 result 填文件校验值。整份导入，有误则一行也不导入。",
    choose: "选择结果文件", chosen: "已选择 {name}", take: "导入", taken: "结果已导入", refusedHead: "没有导入任何内容，请修改文件后重新选择：", row: "第 {n} 行", moreRows: "还有 {n} 行有误", waiting: "上次导入没有收到回应。再导入同一份文件不会重复。",
  },
};

const en: typeof zh = {
  payouts: {
    one: "Payout", none: "Nothing has been paid out yet", prepare: "Prepare", prepareDo: "Prepare it for release", rows: "{n} rows", taxes: "What is taxable, by the month of its claim", taxExport: "Export what is taxable (CSV)", month: "Month", scope: "Whose", allMine: "All I pay for", currency: "Currency", total: "Total", count: "Rows",
    note: "Takes the cash in these people's wallets into a payroll file. It is in flight from then on; the file is there once somebody else has released it, and sending it back returns all of it.",
    uncertain: "The last attempt was not answered: the payout may be there. Asking again unchanged makes it once.", earlierGone: "The earlier one was made; what you changed since was not sent.", seeEarlier: "See the earlier one", another: "Make another",
    state: { pending_approval: "To release", released: "Released", settled: "Settled", rejected: "Sent back" },
    item: { created: "To release", sent: "In flight", unknown: "Being asked for", success: "Paid", failed: "Back in the wallet" },
    tax: { wage_income: "Wage income", incidental_income: "Incidental income", not_taxable: "Not taxable" },
    leftOut: { no_employee_number: "{n} without an employee number", no_account: "{n} without an account", below_minimum: "{n} below the least amount" },
    madeBy: "Prepared by", decidedBy: { released: "Released by", rejected: "Sent back by" }, settledAt: "Settled", by: "{name} · {at}", method: "By", ways: { payroll: "Payroll file", rail: "Transfer" }, reason: "Reason",
    parts: "Summary", taxClass: "Tax class", stateHead: "State", amount: "Amount", items: "Rows", all: "All", failed: "Not paid", noneFailed: "None failed", firstOnly: "The first {n} of {of}",
    release: "Release", releaseText: "Releases {n} rows, {amount} in all. The file is there from then on, and it cannot be sent back.", sendBack: "Send back", sendBackText: "All of it goes back into the wallets.", released: "Released", sentBack: "Sent back", fourEyes: "You prepared it: somebody else releases it or sends it back.",
    file: "Payroll file", download: "Download the payroll file (CSV)", hash: "Its hash (SHA-256)", results: "Hand in the results", resultsText: "Add two columns to the file: result (paid or failed) and reason; on the last line, result is the file's hash. All of it is taken, or, if anything is wrong, none.",
    choose: "Choose the results file", chosen: "Chosen: {name}", take: "Hand in", taken: "The results were taken", refusedHead: "Nothing was taken. Mend the file and choose it again:", row: "Row {n}", moreRows: "{n} more rows are wrong", waiting: "The last attempt was not answered. Handing in the same file again changes nothing twice.",
  },
};

addTexts({ zh, en });
