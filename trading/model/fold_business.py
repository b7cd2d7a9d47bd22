"""How rows about tenders, sections, sessions, lots and deposits change the state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from trading.model.codec import from_json
from trading.model.projects import (
    Deposit,
    Lot,
    Project,
    Section,
    SectionKey,
    Session,
    Stage,
    Tender,
)
from trading.model.state import State

Pauses = tuple[tuple[int, int | None], ...]


def _tender_created(state: State, body: Mapping[str, Any], _at: int) -> None:
    project = from_json(Project, body["project"])
    tender = from_json(Tender, body["tender"])
    state.projects[project.id] = project
    state.tenders[tender.id] = tender
    for item in body["sections"]:
        section = from_json(Section, item)
        state.sections[section.id] = section


def _section_keyed(state: State, body: Mapping[str, Any], _at: int) -> None:
    section = state.sections[body["section"]]
    state.sections[section.id] = replace(section, key=from_json(SectionKey, body["key"]))


def _tender_filed(state: State, body: Mapping[str, Any], _at: int) -> None:
    section = state.sections[body["section"]]
    state.sections[section.id] = replace(section, tender_file=body["file"])


def _tender_published(state: State, body: Mapping[str, Any], at: int) -> None:
    name, version = body["ruleset"]
    tender = replace(
        state.tenders[body["tender"]],
        stage=Stage.ANNOUNCED,
        published_at=at,
        ruleset=(name, version),
    )
    state.tenders[tender.id] = tender
    for section in tender.sections:
        state.sections[section] = replace(state.sections[section], stage=Stage.ANNOUNCED)


def _tender_terminated(state: State, body: Mapping[str, Any], _at: int) -> None:
    tender = replace(state.tenders[body["tender"]], stage=Stage.TERMINATED)
    state.tenders[tender.id] = tender
    for section in tender.sections:
        state.sections[section] = replace(state.sections[section], stage=Stage.TERMINATED)


def _session_created(state: State, body: Mapping[str, Any], _at: int) -> None:
    session = from_json(Session, body["session"])
    state.sessions[session.id] = session
    for item in body["lots"]:
        lot = from_json(Lot, item)
        state.lots[lot.id] = lot


def _session_published(state: State, body: Mapping[str, Any], at: int) -> None:
    name, version = body["ruleset"]
    session = replace(
        state.sessions[body["session"]],
        stage=Stage.ANNOUNCED,
        published_at=at,
        ruleset=(name, version),
    )
    state.sessions[session.id] = session
    for lot in session.lots:
        state.lots[lot] = replace(state.lots[lot], stage=Stage.ANNOUNCED)


def _session_terminated(state: State, body: Mapping[str, Any], _at: int) -> None:
    session = replace(state.sessions[body["session"]], stage=Stage.TERMINATED)
    state.sessions[session.id] = session
    for lot in session.lots:
        state.lots[lot] = replace(state.lots[lot], stage=Stage.TERMINATED)


def _suspended(state: State, body: Mapping[str, Any], at: int) -> None:
    _pause(state, body["target"], False, lambda pauses: (*pauses, (at, None)))


def _resumed(state: State, body: Mapping[str, Any], at: int) -> None:
    _pause(state, body["target"], True, lambda pauses: (*pauses[:-1], (pauses[-1][0], at)))


def _pause(state: State, target: str, suspended: bool, turn: Callable[[Pauses], Pauses]) -> None:
    """Turn the pauses of what an id means, where it is in the state that is to be left.

    A session means each of its lots. What nobody knows changes nothing: a durable row is followed,
    whoever wrote it, for a listener that fails would end the process.
    """
    if section := state.sections.get(target):
        if section.suspended is suspended:
            state.sections[target] = replace(section, pauses=turn(section.pauses))
        return
    session = state.sessions.get(target)
    for lot in [state.lots[each] for each in session.lots] if session else [state.lots.get(target)]:
        if lot is not None and lot.suspended is suspended:
            state.lots[lot.id] = replace(lot, pauses=turn(lot.pauses))


def _deposit_recorded(state: State, body: Mapping[str, Any], _at: int) -> None:
    deposit = from_json(Deposit, body["deposit"])
    state.deposits[deposit.id] = deposit
    state.deposit_ids[deposit.target, deposit.organisation] = deposit.id


def _deposit_released(state: State, body: Mapping[str, Any], at: int) -> None:
    """By two people, or by rule: an auction releases its losers' deposits with its result."""
    for deposit_id in body["deposits"]:
        deposit = state.deposits[deposit_id]
        if deposit.released_at is None:  # the first release is the one that counts
            state.deposits[deposit_id] = replace(deposit, released_at=at)


Handler = Callable[[State, Mapping[str, Any], int], None]

HANDLERS: Final[Mapping[str, Handler]] = {
    "tender.created": _tender_created,
    "section.keyed": _section_keyed,
    "tender.filed": _tender_filed,
    "tender.published": _tender_published,
    "tender.terminated": _tender_terminated,
    "session.created": _session_created,
    "session.published": _session_published,
    "session.terminated": _session_terminated,
    "target.suspended": _suspended,
    "target.resumed": _resumed,
    "deposit.recorded": _deposit_recorded,
    "deposit.released": _deposit_released,
}
