"""The fold and the document of the peers, in plain Python: the facts of our trace without its guarantees.

Left out, in the peers' favour: schemas are not checked, nor hashes, nor the chain; there is no provenance, there are
no gaps in words, and states are plain dictionaries. Kept: every fact of a recommendation, its mandates with their
standing, the meetings with who attended and what was given to them, sessions, evidence, lineage, and the versions.

This module is read by the peers' own Python, which has none of Throughline's dependencies.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

MAGIC = b"throughline synthetic records 2\n"
SERVICES = ("nominations", "meetings", "recommendations", "notifications")
_HEAD = struct.Struct(">BHIHQ32s")
_LISTS = {
    "MandateCited": "cited", "MandateUncited": "uncited", "CitationReconfirmed": "reconfirmed",
    "OriginRecorded": "origins", "RecommendationDiscussed": "discussed", "RecommendationTransmitted": "transmitted",
    "CommitteeDispositionRecorded": "disposed", "RecommendationCarried": "carried", "FollowUpReported": "followed_up",
    "RecommendationSuperseded": "lineage", "RecommendationMerged": "lineage", "RecommendationSplit": "lineage",
    "RecommendationWithdrawn": "lineage", "RecommendationRevised": "revised", "RecommendationAdopted": "adopted",
    "ProvisionRegistered": "provisions", "ReportingDutyDischarged": "discharged", "InstrumentSuperseded": "superseded",
    "InstrumentReaffirmed": "related", "InstrumentCarried": "related", "InstrumentEndorsed": "related",
    "AttendanceRecorded": "attendance", "DocumentDisseminated": "documents", "MeetingRescheduled": "rescheduled",
    "MeetingHeld": "held", "MeetingConvened": "convened", "MeetingCancelled": "cancelled",
}  # fmt: skip
State = dict[str, Any]


def records(source: BinaryIO) -> Iterator[tuple[str, str, bytes]]:
    """Yield service, stream and bytes of every record of a file that `throughline simulate` wrote."""
    if source.readline() != MAGIC:
        raise ValueError("not a file of synthetic records")
    while head := source.read(_HEAD.size):
        service, key, value, proof, _position, _leaf = _HEAD.unpack(head)
        record = SERVICES[service], source.read(key).decode(), source.read(value)
        source.read(proof)
        yield record


def evolve(state: State | None, event: State) -> State:
    """Fold one event into the state of its stream; a correction replaces the data in place, a void sets it aside."""
    state = state or {"stream": event["subject"], "version": 0}
    name, data, version = event["type"].split(".")[2], event["data"], event["streamversion"]
    state["version"] = version
    if name == "RecordCorrected":
        _correct(state, data["corrects"], data["data"])
    elif name == "RecordVoided":
        _void(state, version, data["voids"])
    elif (section := _LISTS.get(name)) is not None:
        state.setdefault(section, []).append({"v": version, "is": name, **data})
    else:
        state["first"] = {"v": version, **data}
    return state


def _void(state: State, void: int, version: int) -> None:
    """Set an item of a list aside; put it back where the void that did so is void."""
    if (again := state.setdefault("aside", {}).pop(str(version), None)) is not None:
        section, item = again
        state[section] = sorted([*state[section], item], key=lambda each: each["v"])
        return
    for section, value in state.items():
        if isinstance(value, list) and (item := next((each for each in value if each["v"] == version), None)):
            state[section] = [each for each in value if each is not item]
            state["aside"][str(void)] = [section, item]


def _correct(state: State, version: int, data: State) -> None:
    for section, value in state.items():
        if isinstance(value, list):
            state[section] = [{**item, **data} if item["v"] == version else item for item in value]
        elif isinstance(value, dict) and value.get("v") == version:
            state[section] = {**value, **data}


def depends_on(state: State) -> set[str]:
    """Return the streams that a recommendation's document is composed from, besides its own."""
    streams = {f"instrument/{item['instrument']}" for item in (*state.get("cited", ()), *state.get("carried", ()))}
    steps = (*state.get("origins", ()), *state.get("discussed", ()), *state.get("adopted", ()))
    streams |= {f"meeting/{item['meeting']}" for item in steps if "meeting" in item}
    sessions = (*state.get("transmitted", ()), *state.get("disposed", ()))
    streams |= {f"session/{item['session']}" for item in sessions}
    for item in state.get("followed_up", ()):
        for kind, key in item.get("evidence", {}).items():
            if kind in ("meeting", "deliverable", "session"):
                streams.add(f"{kind}/{key}")
    priority = [item["priority"] for item in (state["first"], *state.get("revised", ())) if "priority" in item]
    return streams | {f"priority/{key}" for key in priority[-1:]}


def compose(states: dict[str, State], reference: str) -> State:
    """Make a recommendation's document."""
    own = states[f"recommendation/{reference}"]
    named = {stream: states[stream] for stream in depends_on(own) if stream in states}
    steps = [*own.get("origins", ()), *own.get("discussed", ()), *own.get("adopted", ())]
    return {
        "_id": reference,
        "recommendation": {**own["first"], **(own["revised"][-1] if own.get("revised") else {})},
        "mandates": [_mandate(own, item, named) for item in own.get("cited", ())],
        "work": [{**item, **_meeting(named.get(f"meeting/{item.get('meeting')}"))} for item in steps],
        "transmission": [_in_session(item, named) for item in own.get("transmitted", ())],
        "dispositions": [_in_session(item, named) for item in own.get("disposed", ())],
        "follow_up": [_with_evidence(item, named) for item in own.get("followed_up", ())],
        "lineage": [*own.get("lineage", ()), *own.get("carried", ())],
        "priority": [state["first"] for stream, state in named.items() if stream.startswith("priority/")],
        "based_on": [[stream, state["version"]] for stream, state in sorted({**named, own["stream"]: own}.items())],
    }


def _mandate(own: State, cited: State, named: dict[str, State]) -> State:
    key = (cited["instrument"], cited["provision"])
    instrument = named.get(f"instrument/{cited['instrument']}")
    if instrument is None:
        return {**cited, "standing": "live"}
    answered = {item["superseded_by"] for item in own.get("reconfirmed", ()) if _of(item) == key}
    why = [item for item in instrument.get("superseded", ()) if item["by"] not in answered]
    uncited = any(_of(item) == key and item["v"] > cited["v"] for item in own.get("uncited", ()))
    provision: State = next((item for item in instrument.get("provisions", ()) if item["provision"] == key[1]), {})
    standing = "uncited" if uncited else "suspect" if why else "live"
    related = instrument.get("related", [])
    return {**instrument["first"], **provision, **cited, "standing": standing, "why": why, "related": related}


def _of(item: State) -> tuple[str, str]:
    return item["instrument"], item["provision"]


def _meeting(meeting: State | None) -> State:
    if meeting is None:
        return {}
    attendance = meeting.get("attendance", [])
    return {
        **meeting["first"],
        "members": sorted({item["member"] for item in attendance}),
        "in_room": sum(item["presence"] == "in_room" for item in attendance),
        "remote": sum(item["presence"] == "remote" for item in attendance),
        "documents": [
            {"document": item["document"], "title": item["title"], "symbol": item.get("symbol", "")}
            for item in meeting.get("documents", ())
        ],
    }


def _in_session(item: State, named: dict[str, State]) -> State:
    session = named.get(f"session/{item['session']}")
    return {**(session["first"] if session else {}), **item}


def _with_evidence(item: State, named: dict[str, State]) -> State:
    for kind, key in item.get("evidence", {}).items():
        if (state := named.get(f"{kind}/{key}")) is not None:
            return {**item, "evidence": {**item["evidence"], **state["first"]}}
    return item
