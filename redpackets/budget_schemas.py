"""Wire shapes of budgets."""

from marshmallow import fields

from app.core.fields import Flag, Line, Moment, QueryFlag, Whole, WireSchema
from app.core.http import PageQuery
from redpackets.schemas import Minor, UnitCode

NAME_LENGTH_MAX = 100


class BudgetsQuery(PageQuery):
    """A page of budgets; with ``tree`` each comes after the one it was carved out of."""

    tree = QueryFlag(load_default=False)
    give_only = QueryFlag(
        load_default=None, metadata={"description": "only people's allowances, or none of them"}
    )


class NewBudgetIn(WireSchema):
    """A budget to open, out of another or from the treasury; the owner is the caller unless somebody is named."""

    name = Line(NAME_LENGTH_MAX, required=True)
    owner_id = fields.UUID(load_default=None)
    unit_id = fields.UUID(required=True, metadata={"description": "the cost centre"})
    unit = UnitCode(required=True)
    limit_minor = Minor(0, required=True)
    period_from = fields.Date(required=True)
    period_to = fields.Date(required=True)
    parent_id = fields.UUID(
        load_default=None, metadata={"description": "the budget it is carved out of"}
    )
    give_only = Flag(load_default=False)
    rolls_over = Flag(load_default=False)
    recovers_unused = Flag(load_default=True)
    receive_cap_minor = Minor(load_default=None)


class BudgetChangeIn(WireSchema):
    """What shall change; ``version`` is the one that was read."""

    version = Whole(1, required=True)
    name = Line(NAME_LENGTH_MAX, load_default=None)
    limit_minor = Minor(0, load_default=None)
    period_to = fields.Date(load_default=None)
    owner_id = fields.UUID(load_default=None)
    rolls_over = Flag(load_default=None)
    recovers_unused = Flag(load_default=None)
    receive_cap_minor = Minor(allow_none=True, metadata={"description": "null takes the cap away"})


class BudgetOut(WireSchema):
    """A budget: its limit, what open packets hold, what was given away, what is left."""

    id = fields.UUID()
    name = fields.String()
    owner_id = fields.UUID()
    owner_name = fields.String()
    unit_id = fields.UUID()
    unit = fields.String()
    period_from = fields.Date()
    period_to = fields.Date()
    limit_minor = fields.Integer()
    held_minor = fields.Integer()
    spent_minor = fields.Integer()
    allotted_minor = fields.Integer(metadata={"description": "given on to budgets below"})
    available_minor = fields.Integer()
    parent_id = fields.UUID(allow_none=True)
    children = fields.List(
        fields.UUID(), metadata={"description": "right below it, 200 at most, no allowances"}
    )
    predecessor_id = fields.UUID(allow_none=True)
    give_only = fields.Boolean()
    rolls_over = fields.Boolean()
    recovers_unused = fields.Boolean()
    receive_cap_minor = fields.Integer(allow_none=True)
    closed_at = Moment(allow_none=True)
    version = fields.Integer()
