"""Argo CD's health check and actions, run by a real Lua over recorded objects, as Argo CD's own tests do it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

import recorded_states
from novahunt_api import names
from novahunt_api.domainresults import Result
from novahunt_api.waiting import Wait
from tools import argocd
from unit.argo_lua import Action, AnswerError, Health, act, discover, health, offered, run

KIND = argocd.KIND
ACTIONS = KIND / "actions"
STATES = recorded_states.states()
AFTER = recorded_states.after_actions()

Json = dict[str, Any]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def read_object(path: Path) -> Json:
    value = read(path)
    assert isinstance(value, dict)
    return value


HEALTH: list[Json] = read(KIND / "health_test.yaml")["tests"]
DISCOVERY: list[Json] = read(ACTIONS / "action_test.yaml")["discoveryTests"]
ACTION: list[Json] = read(ACTIONS / "action_test.yaml")["actionTests"]
HEALTH_LUA = (KIND / "health.lua").read_text("utf-8")
DISCOVERY_LUA = (ACTIONS / "discovery.lua").read_text("utf-8")


def action_lua(name: str) -> str:
    return (ACTIONS / name / "action.lua").read_text("utf-8")


# What Argo CD's own repository would run


@pytest.mark.parametrize("case", HEALTH, ids=lambda case: Path(case["inputPath"]).stem)
def test_the_health_of_each_recorded_object(case: Json) -> None:
    expected = Health(case["healthStatus"]["status"], case["healthStatus"].get("message", ""))
    assert health(HEALTH_LUA, read_object(KIND / case["inputPath"])) == expected


@pytest.mark.parametrize("case", DISCOVERY, ids=lambda case: Path(case["inputPath"]).stem)
def test_the_actions_that_are_offered(case: Json) -> None:
    expected = [offered(told["name"], told) for told in case["result"]]
    assert discover(DISCOVERY_LUA, read_object(ACTIONS / case["inputPath"])) == sorted(expected)


@pytest.mark.parametrize("case", ACTION, ids=lambda case: f"{case['action']}-{Path(case['inputPath']).stem}")
def test_what_an_action_makes(case: Json) -> None:
    made = act(action_lua(case["action"]), read_object(ACTIONS / case["inputPath"]))
    assert made == read_object(ACTIONS / case["expectedOutputPath"])


# That nothing is missing, and nothing out of date


def test_the_recorded_objects_are_what_the_operator_says_now() -> None:
    files = {path: path.read_text("utf-8") for path in (*KIND.glob("testdata/*"), *ACTIONS.glob("testdata/*"))}
    assert files == argocd.recorded(), "run `make argocd`, and look at what has changed"


def test_every_state_has_its_health_and_every_action_its_outcome() -> None:
    assert sorted(case["inputPath"] for case in HEALTH) == sorted(f"testdata/{name}.yaml" for name in STATES)
    tried = {(Path(case["inputPath"]).stem, case["action"]): case["expectedOutputPath"] for case in ACTION}
    assert tried == {(state, action): f"testdata/{name}.yaml" for name, (state, action, _) in AFTER.items()}
    assert {action for _, action in tried} == {path.parent.name for path in ACTIONS.glob("*/action.lua")}


def test_whatever_a_collection_can_wait_for_is_recorded() -> None:
    shown = {
        condition["reason"]
        for obj in STATES.values()
        for condition in obj.get("status", {}).get("conditions", ())
        if condition["type"] in {"Waiting", "Suspended"}
    }
    assert shown == set(Wait)


def test_every_word_of_the_ready_column_is_recorded() -> None:
    shown = {
        condition["reason"]
        for obj in STATES.values()
        for condition in obj.get("status", {}).get("conditions", ())
        if condition["type"] == "Ready" and condition["reason"] not in set(Wait)
    }
    assert shown == {"InProgress", "Completed", "CompletedWithFailures", "Estimated"}


def test_whatever_is_disabled_somewhere_is_offered_somewhere_else() -> None:
    seen = {(action.name, action.disabled) for obj in STATES.values() for action in discover(DISCOVERY_LUA, obj)}
    assert seen == {(path.parent.name, disabled) for path in ACTIONS.glob("*/action.lua") for disabled in (True, False)}


@pytest.mark.parametrize("path", sorted(ACTIONS.glob("*/action.lua")), ids=lambda path: path.parent.name)
def test_an_action_changes_its_one_field_and_nothing_else(path: Path) -> None:
    field = {"suspend": "suspend", "resume": "suspend", "retry-failed": "retryFailed", "recollect": "recollect"}
    for obj in STATES.values():
        made = act(path.read_text("utf-8"), obj)
        changed = {name for name in made["spec"] if made["spec"][name] != obj["spec"].get(name)}
        assert changed <= {field[path.parent.name]}
        assert {**made, "spec": None} == {**obj, "spec": None}
        assert made["spec"].keys() - obj["spec"].keys() <= {field[path.parent.name]}


def test_a_wish_is_new_in_each_version_and_the_same_for_two_clicks_on_one() -> None:
    def wish(generation: int) -> str:
        obj = STATES["completed"]
        made = act(action_lua("recollect"), {**obj, "metadata": {**obj["metadata"], "generation": generation}})
        return str(made["spec"]["recollect"])

    assert wish(3) == wish(3) != wish(4)
    assert len(wish(2**53)) <= 128, "the schema's limit"


# The settings


def test_the_settings_are_made_of_these_very_files() -> None:
    assert argocd.SETTINGS.read_text("utf-8") == argocd.settings(), "run `make argocd`"


def customization(kind: str, of: str) -> str:
    value = read_object(argocd.SETTINGS)["data"][f"resource.customizations.{kind}.{of}"]
    assert isinstance(value, str)
    return value


def test_the_settings_hold_the_scripts_word_for_word() -> None:
    assert customization("health", "novahunt.io_DomainCollection") == HEALTH_LUA
    actions = yaml.safe_load(customization("actions", "novahunt.io_DomainCollection"))
    assert actions["discovery.lua"] == DISCOVERY_LUA
    held = {one["name"]: one["action.lua"] for one in actions["definitions"]}
    assert held == {path.parent.name: path.read_text("utf-8") for path in ACTIONS.glob("*/action.lua")}
    assert set(actions) == {"discovery.lua", "definitions"}


def test_settings_that_others_have_are_left_alone() -> None:
    data = read_object(argocd.SETTINGS)["data"]
    assert "resource.exclusions" not in data, "it would take the place of Argo CD's own list"
    assert all(name.startswith("resource.customizations.") for name in data)


def test_no_field_of_a_result_makes_an_application_refresh() -> None:
    quiet = set(yaml.safe_load(customization("ignoreResourceUpdates", "novahunt.io_DomainResult"))["jsonPointers"])
    written = {f"/{name}" for name in Result.__struct_encode_fields__}
    assert written - quiet == {"/domain", "/collection"}, "these two never change"


def test_neither_a_status_nor_the_operators_notes_on_a_job_make_an_application_refresh() -> None:
    for kind in ("novahunt.io_DomainCollection", "batch_Job", "Pod"):
        assert "/status" in yaml.safe_load(customization("ignoreResourceUpdates", kind))["jsonPointers"]
    paths = yaml.safe_load(customization("ignoreResourceUpdates", "batch_Job"))["jqPathExpressions"]
    notes = (names.CREDITS_ANNOTATION, names.COUNTS_ANNOTATION)
    assert paths == [f'.metadata.annotations."{note}"' for note in notes]


# The stand-in for Argo CD's own runtime


def test_only_the_libraries_of_argo_cd_are_there() -> None:
    found = run("return {type(string), type(math), type(io), type(os.exit), type(python), type(os.time)}", {})
    assert found == ["nil", "nil", "nil", "nil", "nil", "function"]
    with pytest.raises(lua51.LuaError, match="index"):
        run("return {('a'):rep(3)}", {})


def test_an_empty_object_keeps_its_form_and_a_nonsensical_answer_is_told() -> None:
    obj: Mapping[str, Any] = {"metadata": {"name": "q4"}, "spec": {"storage": {"configMap": {}}, "domains": ["a", "b"]}}
    assert act("return obj", dict(obj)) == obj
    assert health("return {status = 'Fine'}", {}) == Health("Unknown", "Lua returned an invalid health status")
    assert health("return nil", {}) == Health()
    assert discover("return {}", {}) == []
    assert discover("return {go = {}}", {}) == [Action("go")]
    with pytest.raises(AnswerError):
        health("return 3", {})
