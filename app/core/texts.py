"""The catalogue of field errors: a stable code and its text in two languages."""

from app.core.errors import Texts

FIELD_TEXTS: dict[str, Texts] = {
    "required": Texts("必填", "This is required."),
    "null": Texts("不能为空", "This may not be null."),
    "unknown_field": Texts("未知的字段", "This field is unknown."),
    "not_an_object": Texts("应为对象", "This must be an object."),
    "not_a_list": Texts("应为列表", "This must be a list."),
    "not_an_integer": Texts("应为整数", "This must be a whole number."),
    "not_a_number": Texts("应为数字", "This must be a number."),
    "not_text": Texts("应为文字", "This must be text."),
    "not_a_boolean": Texts("应为是或否", "This must be true or false."),
    "invalid_id": Texts("标识无效", "This is not a valid id."),
    "invalid_time": Texts(
        "时间无效，需要带时区", "This must be a time with an offset, 2000 to 2100."
    ),
    "in_the_future": Texts("不能晚于现在", "This lies in the future."),
    "before_the_first_batch": Texts("早于首次同步", "Nothing had come from the ERP by then."),
    "invalid_period": Texts(
        "期间无效", "This must be mtd, qtd, ytd, today, 2013, 2013-Q4, 2013-10 or from..to."
    ),
    "invalid_date": Texts("日期无效", "This must be a date."),
    "invalid_text": Texts("含有不允许的字符", "This has characters that are not allowed."),
    "blank": Texts("不能为空白", "This may not be blank."),
    "too_long": Texts("太长", "This is too long."),
    "too_short": Texts("太短", "This is too short."),
    "too_many_items": Texts("项目太多", "There are too many items."),
    "out_of_range": Texts("超出范围", "This is out of range."),
    "not_a_choice": Texts("不在可选范围内", "This is not one of the choices."),
    "repeated": Texts("重复", "This is given more than once."),
    "bad_cursor": Texts("翻页位置无效", "This cursor is not valid."),
    "invalid": Texts("无效", "This is not valid."),
    "amount_not_integer_minor": Texts(
        "金额应为以最小单位计的整数", "The amount must be a whole number of minor units."
    ),
    "amount_out_of_range": Texts("金额超出范围", "The amount is out of range."),
    "shares_out_of_range": Texts("份数超出范围", "The number of shares is out of range."),
    "cannot_split": Texts("金额无法按要求拆分", "The amount cannot be cut this way."),
    "unit_unknown": Texts("未知的币种或单位", "This unit is unknown."),
    "unit_mismatch": Texts("币种与预算不一致", "The unit is not the budget's."),
    "scope_empty": Texts("受众中没有人", "Nobody is in this audience."),
    "duplicate_receiver": Texts("领取人重复", "This person is named twice."),
    "receiver_not_active": Texts("此人不存在或已离开", "This person is not active here."),
    "not_to_oneself": Texts("不能送给自己", "This may not go to oneself."),
    "metric_unknown": Texts("没有这个指标", "There is no such metric to keep a rule on."),
    "metric_without_target": Texts("该指标没有目标值", "No target is set for this metric."),
    "total_or_per_head": Texts(
        "总额与人均金额须且只能填一个",
        "Exactly one of the total and the amount per head is needed.",
    ),
    "one_receiver": Texts(
        "只有奖励本人时才是单人领取", "One receiver is for persons who are rewarded themselves."
    ),
    "subject_unknown": Texts("对象不存在", "One of these units or persons is not here."),
    "receivers_or_audience": Texts(
        "指定领取人时不填受众和份数", "This is not given together with receivers."
    ),
    "total_not_sum": Texts("总额与各份之和不一致", "The total is not the sum of the amounts."),
    "outside_parent": Texts("超出上级预算的范围", "This lies outside the budget above."),
    "bands_overlap": Texts("与前一区间重叠", "This overlaps the band before it."),
    "bands_gap": Texts("与前一区间之间有空缺", "This leaves a gap to the band before it."),
    "bands_bounded": Texts("最后一个区间不能有上限", "The last band may not end."),
    "delegate_self": Texts("不能委托给自己", "You cannot stand in for yourself."),
    "time_in_past": Texts("时间已过", "This time is in the past."),
    "time_order": Texts("结束早于开始", "This ends before it begins."),
    "results_unreadable": Texts(
        "不是回盘文件", "This is not a results file: its first line must name the seven columns."
    ),
    "totals_differ": Texts("合计行与发放不符", "The last line's totals are not the payout's."),
    "hash_differs": Texts("文件哈希与发放不符", "The hash is not that of this payout's file."),
    "rows_missing": Texts("缺少部分行", "Some rows of the payout are missing."),
    "row_unreadable": Texts("该行格式有误", "This row does not have seven columns."),
    "row_repeated": Texts("该行重复", "This row is there twice."),
    "row_differs": Texts("该行与发放内容不符", "This row is not as it was sent."),
    "employee_unknown": Texts("工号不在发放名单中", "This employee is not in the payout."),
    "outcome_unknown": Texts("结果应为 paid 或 failed", "The result must be paid or failed."),
    "reason_missing": Texts("失败须注明原因", "A failed row needs a reason."),
    "time_too_far": Texts("时间过远", "This time is too far away."),
}


def field_text(code: str, language: str) -> str:
    """Say a field error's code in the reader's language."""
    return FIELD_TEXTS[code].in_language(language)
