"""``bin/workspace erp …``: the bridge's commands, on this installation."""

from app.core.composition import Workspace, workspace
from app.factory import create_app
from app.runtime.installation import installation_settings
from erp_bridge.commands import erp_group


def _open() -> Workspace:
    return workspace(create_app(installation_settings()))


erp = erp_group(_open)
