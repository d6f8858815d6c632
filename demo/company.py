"""云栗商贸 (Cloudchestnut Trading), an invented company: its departments, its people, what they do.

Its people are named after things that grow, so that nobody takes them for anybody.
"""

from dataclasses import dataclass
from typing import Final

NAME: Final = "云栗商贸有限公司"
SHORT_NAME: Final = "云栗商贸"
ENGLISH_NAME: Final = "Cloudchestnut Trading"

ROOT: Final = "01"
SALES: Final = "0102"
PURCHASING: Final = "0103"
WAREHOUSING: Final = "0104"
FINANCE: Final = "0105"
GRADE_DIGITS: Final = 2

SALESPERSON_TITLE: Final = "客户经理"


@dataclass(frozen=True, slots=True)
class Department:
    """A node of the organisation; its code begins with the code of the unit above it."""

    code: str
    name: str
    leader: str  # login of the person who leads it

    @property
    def parent(self) -> str | None:
        return self.code[:-GRADE_DIGITS] or None

    @property
    def grade(self) -> int:
        return len(self.code) // GRADE_DIGITS


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here; the title decides the role on any platform beside the ERP."""

    code: str
    name: str
    login: str
    department: str
    title: str


# Each title's role on a workspace platform.
ROLES: Final[dict[str, str]] = {
    "总经理": "owner",
    "办公室主任": "manager",
    "采购经理": "manager",
    "仓储物流经理": "manager",
    "财务经理": "manager",
    "人力行政经理": "manager",
    "信息部经理": "manager",
    "销售总监": "sales_leader",
    "大区经理": "sales_leader",
    "销售组长": "sales_leader",
    SALESPERSON_TITLE: "account_manager",
    "会计": "finance",
    "出纳": "finance",
    "平台运营": "operator",
    "内审专员": "auditor",
    "总经理助理": "employee",
    "采购员": "employee",
    "仓库主管": "employee",
    "仓管员": "employee",
    "物流调度": "employee",
    "人事专员": "employee",
    "行政专员": "employee",
    "系统工程师": "employee",
}

_TREE: Final = """
01       云栗商贸          shen.yunli
0101     总经理办公室      tao.baiguo
0102     销售中心          lu.cangsong
010201   华东大区          he.shiliu
01020101 上海组            jiang.qinghe
01020102 杭州组            gu.longjing
010202   华南大区          liang.longyan
01020201 广州组            mo.mumian
01020202 深圳组            fang.lizhi
010203   华北大区          bai.gaoliang
01020301 北京组            tian.haitang
01020302 天津组            yu.xiaomai
0103     采购部            qiao.huajiao
0104     仓储物流部        shi.tiemu
010401   仓储组            niu.ludou
010402   物流组            ma.hulu
0105     财务部            jin.yinxing
0106     人力行政部        ye.moli
0107     信息部            lei.zhusun
"""

_ROSTER: Final = """
1001 沈云栗 shen.yunli 01 总经理
1002 陶白果 tao.baiguo 0101 办公室主任
1003 苗小葵 miao.xiaokui 0101 总经理助理
1004 严苦丁 yan.kuding 0101 内审专员
1101 陆苍松 lu.cangsong 0102 销售总监
1102 何石榴 he.shiliu 010201 大区经理
1103 江青禾 jiang.qinghe 01020101 销售组长
1104 许芝麻 xu.zhima 01020101 客户经理
1105 宋莲藕 song.lianou 01020101 客户经理
1106 程蚕豆 cheng.candou 01020101 客户经理
1107 丁香椿 ding.xiangchun 01020101 客户经理
1108 顾龙井 gu.longjing 01020102 销售组长
1109 潘菱角 pan.lingjiao 01020102 客户经理
1110 钱茭白 qian.jiaobai 01020102 客户经理
1111 孙杨梅 sun.yangmei 01020102 客户经理
1112 傅春笋 fu.chunsun 01020102 客户经理
1113 梁龙眼 liang.longyan 010202 大区经理
1114 莫木棉 mo.mumian 01020201 销售组长
1115 黎芭蕉 li.bajiao 01020201 客户经理
1116 区杨桃 ou.yangtao 01020201 客户经理
1117 邓陈皮 deng.chenpi 01020201 客户经理
1118 叶芋头 ye.yutou 01020201 客户经理
1119 方荔枝 fang.lizhi 01020202 销售组长
1120 罗番薯 luo.fanshu 01020202 客户经理
1121 曾椰青 zeng.yeqing 01020202 客户经理
1122 谭莲雾 tan.lianwu 01020202 客户经理
1123 温金桔 wen.jinju 01020202 客户经理
1124 白高粱 bai.gaoliang 010203 大区经理
1125 田海棠 tian.haitang 01020301 销售组长
1126 郭山楂 guo.shanzha 01020301 客户经理
1127 韩核桃 han.hetao 01020301 客户经理
1128 孟冬枣 meng.dongzao 01020301 客户经理
1129 冯荞麦 feng.qiaomai 01020301 客户经理
1130 于小麦 yu.xiaomai 01020302 销售组长
1131 贾燕麦 jia.yanmai 01020302 客户经理
1132 穆萝卜 mu.luobo 01020302 客户经理
1133 康板栗 kang.banli 01020302 客户经理
1134 尹鸭梨 yin.yali 01020302 客户经理
1201 乔花椒 qiao.huajiao 0103 采购经理
1202 蒋生姜 jiang.shengjiang 0103 采购员
1203 卢八角 lu.bajiao 0103 采购员
1204 姚桂皮 yao.guipi 0103 采购员
1205 邹丁香 zou.dingxiang 0103 采购员
1301 石铁木 shi.tiemu 0104 仓储物流经理
1302 牛绿豆 niu.ludou 010401 仓库主管
1303 朱红豆 zhu.hongdou 010401 仓管员
1304 汪黑豆 wang.heidou 010401 仓管员
1305 胡黄豆 hu.huangdou 010401 仓管员
1306 马葫芦 ma.hulu 010402 仓库主管
1307 邱丝瓜 qiu.sigua 010402 物流调度
1308 秦苦瓜 qin.kugua 010402 物流调度
1401 金银杏 jin.yinxing 0105 财务经理
1402 徐薄荷 xu.bohe 0105 会计
1403 钟百合 zhong.baihe 0105 会计
1404 崔枸杞 cui.gouqi 0105 会计
1405 范玉米 fan.yumi 0105 出纳
1501 叶茉莉 ye.moli 0106 人力行政经理
1502 唐豌豆 tang.wandou 0106 人事专员
1503 袁紫苏 yuan.zisu 0106 人事专员
1504 夏芥菜 xia.jiecai 0106 行政专员
1601 雷竹荪 lei.zhusun 0107 信息部经理
1602 武木耳 wu.muer 0107 系统工程师
1603 毛香菇 mao.xianggu 0107 平台运营
"""


def _departments() -> tuple[Department, ...]:
    return tuple(Department(*line.split()) for line in _TREE.strip().splitlines())


def _people() -> tuple[Person, ...]:
    return tuple(Person(*line.split()) for line in _ROSTER.strip().splitlines())


DEPARTMENTS: Final = _departments()
PEOPLE: Final = _people()
SALESPEOPLE: Final = tuple(person for person in PEOPLE if person.title == SALESPERSON_TITLE)

_BY_LOGIN: Final = {person.login: person for person in PEOPLE}
_BY_CODE: Final = {person.code: person for person in PEOPLE}
_UNITS: Final = {department.code: department for department in DEPARTMENTS}


def person(code: str) -> Person:
    return _BY_CODE[code]


def leader_of(department_code: str) -> Person:
    """Who leads a unit."""
    return _BY_LOGIN[_UNITS[department_code].leader]


def role_of(member: Person) -> str:
    return ROLES[member.title]


def general_manager() -> Person:
    return leader_of(ROOT)


def purchasing_manager() -> Person:
    return leader_of(PURCHASING)


def people_titled(title: str) -> tuple[Person, ...]:
    return tuple(member for member in PEOPLE if member.title == title)


def teams() -> tuple[str, ...]:
    """The units in which somebody sells, by code."""
    return tuple(sorted({seller.department for seller in SALESPEOPLE}))


def superior_of(member: Person) -> Person:
    """Who approves what ``member`` asks for; the general manager answers to nobody."""
    unit: str | None = member.department
    while unit is not None:
        leader = leader_of(unit)
        if leader.code != member.code:
            return leader
        unit = _UNITS[unit].parent
    return member
