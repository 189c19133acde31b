"""Drives Debian's Chromium for tests of the page, and lets axe-core look at what it shows."""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from devcluster.paths import cache_root

_AXE = "4.14.1"
_AXE_INTEGRITY = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""SHA-512 of the package, as npm's lock files write it. Its licence is MPL-2.0: fetched for tests, never committed."""

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def _say(text: str) -> None:
    print(f"browser: {text}", file=sys.stderr, flush=True)  # noqa: T201 - installing takes a minute: it must be seen


def _programs() -> tuple[str, str]:
    """Return the paths of Chromium and its driver; as root, install them where they are missing."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if found[0] and found[1]:
        return found[0], found[1]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("Chromium is missing (Debian: apt-get install chromium chromium-driver)")
    _say("installing chromium and chromium-driver")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=environment, stdout=sys.stderr)
    command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium", "chromium-driver"]
    subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium, "apt-get has installed no chromium"
    assert driver, "apt-get has installed no chromedriver"
    return chromium, driver


def axe() -> str:
    """Return axe-core's script, out of the cache or from npm, checked against its pinned hash."""
    folder = cache_root() / f"axe-core-{_AXE}"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"axe-core-{_AXE}.tgz"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            if shutil.which("npm") is None:
                pytest.skip("npm is missing, which fetches axe-core (Debian: apt-get install npm)")
            _say(f"fetching axe-core {_AXE}")
            with tempfile.TemporaryDirectory(dir=folder) as new:
                command = ["npm", "pack", f"axe-core@{_AXE}", "--silent", "--pack-destination", new]
                subprocess.run(command, check=True, stdout=sys.stderr)
                (Path(new) / archive.name).rename(archive)
    data = archive.read_bytes()
    assert base64.b64encode(hashlib.sha512(data).digest()).decode() == _AXE_INTEGRITY, (
        f"{archive} is not what is pinned"
    )
    with tarfile.open(archive) as packed:
        script = packed.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


@contextmanager
def chromium(*, downloads: Path | None = None, script: bool = True) -> Iterator[WebDriver]:
    """Start a browser with a new profile; it is gone afterwards."""
    program, driver = _programs()
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        preferences: dict[str, Any] = {"download.default_directory": str(downloads)} if downloads else {}
        if not script:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        try:
            browser.set_window_size(1200, 1000)
            yield browser
        finally:
            browser.quit()


def press(browser: WebDriver, name: str) -> None:
    """Click what has that id, and again if a live update has just replaced it."""

    def clicked(it: WebDriver) -> bool:
        it.find_element(By.ID, name).click()
        return True

    WebDriverWait(browser, 30, ignored_exceptions=(StaleElementReferenceException,)).until(clicked)


def findings(browser: WebDriver) -> list[str]:
    """Return what axe-core has against the page that is shown: serious and critical findings."""
    # Over the debugging protocol, as the page's own policy lets no foreign script in.
    browser.execute_script(axe())
    result = browser.execute_async_script(
        "const done = arguments[0];"
        "const failed = (e) => done([{id: String(e), impact: 'critical', nodes: []}]);"
        "axe.run().then((r) => done(r.violations), failed);"
    )
    return [
        f"{one['id']} ({one['impact']}): {json.dumps([node['html'][:200] for node in one['nodes']])}"
        for one in result
        if one["impact"] in {"serious", "critical"}
    ]


def colours(browser: WebDriver, scheme: str) -> None:
    """Let the browser prefer light or dark."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def shoot(browser: WebDriver, name: str) -> Path:
    """Keep a picture of the whole page among the artefacts in the cache."""
    folder = cache_root() / "artefacts" / "page"
    folder.mkdir(parents=True, exist_ok=True)
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    path = folder / f"{name}.png"
    path.write_bytes(base64.b64decode(picture["data"]))
    return path
