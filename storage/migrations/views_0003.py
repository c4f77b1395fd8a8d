"""The read-only views that revision 0003 makes, as they were then, never changed again. Their columns: docs/reports.md.

They are for spreadsheets and reports: an instant is a text in UTC, `2026-03-02 08:00:00`, and an amount is in whole units
of its currency, with two decimals. What is not known is NULL. `agency_id` is in each of them.
"""

# Nothing that comes from outside is put into these texts.
# ruff: noqa: S608

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

_MS_30_DAYS: Final = 2_592_000_000

_DIALECTS: Final = {
    "sqlite": {
        "at": "strftime('%Y-%m-%d %H:%M:%S', {0} / 1000, 'unixepoch')",
        "amount": "ROUND(({0}) / 100.0, 2)",
        "ratio": "ROUND(1.0 * ({0}) / ({1}), 4)",
    },
    "postgresql": {
        "at": "to_char(to_timestamp({0} / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
        "amount": "CAST(({0}) / 100.0 AS numeric(16, 2))",
        "ratio": "CAST(1.0 * ({0}) / ({1}) AS numeric(16, 4))",
    },
}

_SPENT = """(
        SELECT COALESCE(SUM(t.amount_cents), 0) FROM transactions t
        WHERE t.agency_id = f.agency_id AND t.fan_account_id = f.id AND t.counted
          AND t.occurred_at > c.synced_at - {older} AND t.occurred_at <= c.synced_at - {newer}
    )"""
_SPENT_30D = _SPENT.format(older=_MS_30_DAYS, newer=0)
_SPENT_PRIOR = _SPENT.format(older=2 * _MS_30_DAYS, newer=_MS_30_DAYS)
_MESSAGES = """CASE WHEN f.messages_from_at <= c.synced_at - 2592000000 AND f.messages_until_at IS NOT NULL THEN (
        SELECT COUNT(*) FROM messages m
        WHERE m.agency_id = f.agency_id AND m.creator_id = f.creator_id AND m.fan_account_id = f.id
          AND m.from_fan AND m.sent_at > c.synced_at - 2592000000 AND m.sent_at <= c.synced_at
    ) END"""
_PRICED = """SELECT COUNT(*) FROM messages m
        WHERE m.agency_id = f.agency_id AND m.creator_id = f.creator_id AND m.fan_account_id = f.id
          AND NOT m.from_fan AND m.price_cents > 0 AND m.unlocked IS NOT NULL"""
_STATUS = """CASE
        WHEN f.expired_now THEN 'expired'
        WHEN f.subscribed AND f.rebill_off AND f.expires_at - c.synced_at <= 604800000 THEN 'expiring_soon'
        WHEN f.subscribed THEN 'active'
        WHEN f.expires_at <= c.synced_at THEN 'expired'
    END"""
_CURRENCY = """COALESCE((
        SELECT t.currency FROM transactions t
        WHERE t.agency_id = f.agency_id AND t.fan_account_id = f.id ORDER BY t.occurred_at DESC LIMIT 1
    ), 'USD')"""


def _sql(dialect: str) -> dict[str, str]:
    """The SELECT of each view."""
    parts = _DIALECTS[dialect]

    def at(column: str) -> str:
        return parts["at"].format(column)

    def amount(cents: str) -> str:
        return parts["amount"].format(cents)

    def ratio(over: str, under: str) -> str:
        return parts["ratio"].format(over, under)

    revenue = (
        "d.subscriptions_cents + d.messages_cents + d.tips_cents + d.posts_cents + d.streams_cents"
        " + d.other_cents + d.chargebacks_cents"
    )
    opened = ratio(f"({_PRICED} AND m.unlocked)", f"NULLIF(({_PRICED}), 0)")
    creator = "JOIN creators c ON c.agency_id = {0}.agency_id AND c.id = {0}.creator_id"
    fan = "JOIN fan_accounts f ON f.agency_id = {0}.agency_id AND f.id = {0}.fan_account_id"
    return {
        "v_fans": f"""
    SELECT f.agency_id, f.id AS fan_account_id, f.creator_id, c.name AS creator, f.platform_fan_id AS fan_id,
        f.username, f.name, f.alias, {_CURRENCY} AS currency,
        {amount("f.total_cents")} AS total_spend,
        {amount(f"COALESCE(f.reported_30d_cents, {_SPENT_30D})")} AS spend_30d,
        {amount(f"COALESCE(f.reported_prior_30d_cents, {_SPENT_PRIOR})")} AS spend_prior_30d,
        {amount("f.subscriptions_cents")} AS spend_subscriptions, {amount("f.messages_cents")} AS spend_ppv,
        {amount("f.tips_cents")} AS spend_tips, {amount("f.posts_cents")} AS spend_posts,
        {amount("f.streams_cents")} AS spend_streams,
        {_STATUS} AS status, {at("f.expires_at")} AS expires_at, f.rebill_off,
        {at("f.last_active_at")} AS last_active_at,
        (c.synced_at - f.last_active_at) / 86400000 AS days_since_active,
        COALESCE(f.reported_messages_30d, {_MESSAGES}) AS messages_30d,
        COALESCE({ratio("f.reported_ppv_open_rate", "1")}, {opened}) AS ppv_open_rate,
        s.churn_risk, s.ltv, s.engagement, s.model, {at("s.scored_at")} AS scored_at,
        {at("f.first_seen_at")} AS first_seen_at, {at("f.updated_at")} AS updated_at, {at("c.synced_at")} AS as_of
    FROM fan_accounts f {creator.format("f")}
    LEFT JOIN scores s ON s.agency_id = f.agency_id AND s.fan_account_id = f.id""",
        "v_transactions": f"""
    SELECT t.agency_id, t.id AS transaction_id, t.platform_transaction_id, t.creator_id, c.name AS creator,
        t.fan_account_id, f.platform_fan_id AS fan_id, f.username, t.kind, {amount("t.amount_cents")} AS amount,
        {amount("t.net_cents")} AS net, t.currency, t.status, t.counted, {at("t.occurred_at")} AS occurred_at
    FROM transactions t {creator.format("t")} LEFT {fan.format("t")}""",
        "v_subscription_events": f"""
    SELECT e.agency_id, e.id AS event_id, e.creator_id, c.name AS creator, e.fan_account_id,
        f.platform_fan_id AS fan_id, f.username, e.event, e.source, {at("e.occurred_at")} AS occurred_at,
        {at("e.recorded_at")} AS recorded_at, e.winback_id
    FROM subscription_events e {creator.format("e")} {fan.format("e")}""",
        "v_creator_daily": f"""
    SELECT d.agency_id, d.creator_id, c.name AS creator, d.day, d.currency, {amount(revenue)} AS revenue,
        {amount("d.subscriptions_cents")} AS subscriptions, {amount("d.messages_cents")} AS ppv,
        {amount("d.tips_cents")} AS tips, {amount("d.posts_cents")} AS posts,
        {amount("d.streams_cents")} AS streams, {amount("d.other_cents")} AS other,
        {amount("d.chargebacks_cents")} AS chargebacks, {amount("d.net_cents")} AS net, d.payments, d.payers,
        d.active_fans, d.new_fans, d.expired_fans,
        {ratio(f"({revenue}) / 100.0", "NULLIF(d.active_fans, 0)")} AS arpu,
        d.at_risk, d.action_items, d.done, {at("d.starts_at")} AS starts_at, {at("d.ends_at")} AS ends_at,
        {at("d.computed_at")} AS computed_at
    FROM creator_daily d {creator.format("d")}""",
        "v_open_work": f"""
    SELECT e.agency_id, 'alert' AS work, e.id AS work_id, e.creator_id, c.name AS creator, e.fan_account_id,
        f.platform_fan_id AS fan_id, f.username, CASE WHEN e.expired THEN 'expired' ELSE e.tier END AS state,
        e.score, {amount("e.pace_cents")} AS spend_a_month, e.currency, CAST(e.claimed_by AS text) AS assignee_id,
        {at("e.opened_at")} AS opened_at, NULL AS due_at
    FROM episodes e {creator.format("e")} {fan.format("e")}
    WHERE e.closed_at IS NULL
    UNION ALL
    SELECT w.agency_id, 'winback', w.id, w.creator_id, c.name, w.fan_account_id, f.platform_fan_id, f.username,
        w.kind, NULL, NULL, NULL, CAST(w.assignee_id AS text), {at("w.created_at")}, {at("w.due_at")}
    FROM winbacks w {creator.format("w")} {fan.format("w")}
    WHERE w.state = 'open'""",
    }


def create_views(connection: Connection) -> None:
    for name, query in _sql(connection.dialect.name).items():
        # A colon would be taken for a parameter's.
        connection.execute(text(f"CREATE VIEW {name} AS {query}".replace(":", "\\:")))
