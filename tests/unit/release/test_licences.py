"""A package whose licence is not allowed, or not known, gets into no image; and the list of licences is up to date."""

import pytest

from tools.images import COLLECTOR, OPERATOR
from tools.release import licences
from tools.release.licences import Licensed, licensed, refusals
from tools.release.packages import Pin, Statement

PIN = Pin("thing", "1.0")


def said(expression: str = "", licence: str = "", name: str = "thing") -> str:
    return licensed(Statement(Pin(name, "1.0"), expression, licence)).licence


def test_the_expression_goes_before_the_words_of_older_metadata() -> None:
    assert said("MIT", "Apache-2.0") == "MIT"
    assert said("", "apache-2.0") == "Apache-2.0"
    assert said("mit or apache-2.0") == "MIT OR Apache-2.0"


def test_words_that_spdx_does_not_know_are_no_licence() -> None:
    assert said("", "MIT License") == ""
    assert said("", "Permission is hereby granted, free of charge, to any person ...") == ""
    assert said() == ""


def test_what_we_read_ourselves_goes_before_what_a_package_says() -> None:
    assert said("", "MIT License", name="uvloop") == "Apache-2.0 OR MIT"


@pytest.mark.parametrize(
    "licence", ["MIT", "Apache-2.0 AND MIT", "Apache-2.0 OR BSD-3-Clause", "(MIT AND ISC) OR MIT-0"]
)
def test_what_is_allowed_passes(licence: str) -> None:
    assert refusals([Licensed(PIN, licence)]) == []


@pytest.mark.parametrize(
    ("licence", "named"),
    [
        ("GPL-3.0-only", "GPL-3.0-only"),
        ("MIT AND AGPL-3.0-or-later", "AGPL-3.0-or-later"),
        ("MIT OR GPL-2.0-only", "GPL-2.0-only"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "Classpath-exception-2.0, GPL-2.0-only"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_to_do(licence: str, named: str) -> None:
    (text,) = refusals([Licensed(PIN, licence)])
    assert text.startswith(f"thing is under {licence}: {named} is not allowed. Do without the package, or ")


def test_a_package_without_a_licence_is_refused() -> None:
    (text,) = refusals([Licensed(PIN, "")])
    assert text.startswith("thing names no licence that SPDX knows: read its licence file")


def test_every_package_of_the_images_is_allowed() -> None:
    packages = [licensed(one) for image in (OPERATOR, COLLECTOR) for one in licences.installed(image)]
    assert packages
    assert refusals(packages) == []


def test_the_list_is_what_the_lock_files_say() -> None:
    assert licences.LIST.read_text() == licences.current(), "run `make licences`"


def test_nothing_that_we_read_ourselves_is_out_of_use() -> None:
    names = {pin.name for image in (OPERATOR, COLLECTOR) for pin in licences.locked(image)}
    assert licences.READ.keys() <= names
