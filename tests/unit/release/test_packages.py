"""Lock files are read as the images' Python reads them, and an image must hold what they pin and nothing else."""

import pytest

from tools.images import COLLECTOR, OPERATOR
from tools.release.licences import locked
from tools.release.packages import Pin, differences, pinned, stated
from unit.release import oci

LOCK = """\
anyio==4.16.0 \\
    --hash=sha256:59bb
    # via httpx
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:4f1d
typing-extensions==4.16.0 ; python_full_version < '3.13' \\
    --hash=sha256:0cea
Zope.Interface==8.0 ; platform_python_implementation != 'PyPy' \\
    --hash=sha256:1111
"""


def test_what_the_images_python_does_not_need_is_left_out() -> None:
    assert pinned(LOCK) == {Pin("anyio", "4.16.0"), Pin("zope-interface", "8.0")}


def test_a_line_that_pins_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'anyio>=4.0' pins no version; make the lock anew with `make lock`"):
        pinned("anyio>=4.0\n")


def test_the_locks_of_the_images_are_read() -> None:
    assert {"kubernetes", "fastapi"} <= {pin.name for pin in locked(OPERATOR)}
    names = {pin.name for pin in locked(COLLECTOR)}
    assert "httpx" in names
    assert "kubernetes" not in names


def test_a_package_says_its_name_version_and_licence() -> None:
    said = stated(oci.metadata(Pin("Some_Thing", "1.0"), "License-Expression: MIT", "License: a long text"))
    assert (said.pin, said.expression, said.licence) == (Pin("some-thing", "1.0"), "MIT", "a long text")


def test_an_image_that_differs_from_its_locks_is_told_of_both_ways() -> None:
    here, there = Pin("a", "1"), Pin("a", "2")
    assert differences([here], [here]) == []
    assert differences([here], [there]) == [
        "a 1 is pinned and not in the image",
        "a 2 is in the image and not pinned",
    ]
