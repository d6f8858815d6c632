"""Pure rules of people: the roles a new company starts with and what they permit."""

from dataclasses import dataclass

_EVERYBODY = ("feeds.post",)
_LEADS = (*_EVERYBODY, "feeds.announce", "feeds.reach", "redpackets.send")
_MODERATES = ("feeds.moderate",)
_OVERSEES = ("redpackets.audit", "people.audit")


@dataclass(frozen=True)
class RoleTemplate:
    """A role as a new company gets it; operators change it afterwards."""

    key: str
    name_zh: str
    name_en: str
    permissions: tuple[str, ...]


ROLE_TEMPLATES: tuple[RoleTemplate, ...] = (
    RoleTemplate("employee", "员工", "Employee", _EVERYBODY),
    RoleTemplate("account_manager", "客户经理", "Account manager", (*_EVERYBODY, "roledata.own")),
    RoleTemplate("sales_leader", "销售管理者", "Sales leader", (*_LEADS, "roledata.sales")),
    RoleTemplate(
        "manager", "部门经理", "Manager", (*_LEADS, "redpackets.budgets", "redpackets.approve")
    ),
    RoleTemplate(
        "owner",
        "经营者",
        "Owner",
        (
            *_LEADS,
            *_OVERSEES,
            *_MODERATES,
            "redpackets.budgets",
            "redpackets.manage",
            "redpackets.approve",
            "redpackets.payout",
            "redpackets.catalogue",
            "redpackets.campaigns",
            "roledata.sales",
            "roledata.company",
            "erp.manage",
        ),
    ),
    RoleTemplate(
        "finance",
        "财务",
        "Finance",
        (
            *_EVERYBODY,
            "redpackets.budgets",
            "redpackets.manage",
            "redpackets.approve",
            "redpackets.payout",
            "roledata.company",
        ),
    ),
    RoleTemplate(
        "operator",
        "平台管理员",
        "Operator",
        (
            *_LEADS,
            *_MODERATES,
            "people.manage",
            "erp.manage",
            "roledata.manage",
            "redpackets.manage",
            "redpackets.catalogue",
            "redpackets.campaigns",
        ),
    ),
    RoleTemplate("auditor", "审计", "Auditor", (*_EVERYBODY, *_OVERSEES)),
)

PERMISSIONS = frozenset(p for template in ROLE_TEMPLATES for p in template.permissions)
