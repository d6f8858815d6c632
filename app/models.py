"""Every table of every package, imported so that the metadata is whole (migrations, guards)."""

import app.core.events
import app.core.idempotency
import app.delivery.models
import app.people.models
import erp_bridge.approvals.models
import erp_bridge.models
import feeds.models
import redpackets.approval_models
import redpackets.campaigns.models
import redpackets.chain_models
import redpackets.models
import redpackets.oversight.models
import redpackets.payouts.models
import redpackets.points.models
import roledata.models

all_models = (
    app.core.events,
    app.core.idempotency,
    app.people.models,
    app.delivery.models,
    erp_bridge.models,
    erp_bridge.approvals.models,
    feeds.models,
    redpackets.models,
    redpackets.approval_models,
    redpackets.chain_models,
    redpackets.campaigns.models,
    redpackets.points.models,
    redpackets.payouts.models,
    redpackets.oversight.models,
    roledata.models,
)
