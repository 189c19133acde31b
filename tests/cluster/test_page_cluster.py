"""Chromium drives the page over a real control plane, operator and collectors: from the login to the CSV."""

import asyncio
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from cluster.gateway_process import TOKEN, GatewayProcess
from cluster.world import World
from hunter_simulator import truth
from hunter_simulator.domains import Domain
from page import browser as browsers

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240, func_only=True)]

SECONDS = 90


@contextmanager
def page_of(world: World) -> Iterator[str]:
    """Run the gateway for a world's namespace."""
    gateway = GatewayProcess(world.plane, world.namespace, world.folder)
    with gateway.running():
        yield gateway.url


def _add(browser: WebDriver, at: str, domain: str) -> None:
    browser.get(f"{at}/new")
    browser.find_element(By.ID, "domains").send_keys(domain)
    browser.find_element(By.CSS_SELECTOR, "main button.main").click()
    WebDriverWait(browser, SECONDS).until(lambda it: it.find_elements(By.ID, "budget"))
    browser.find_element(By.ID, "budget").send_keys("50")
    browser.find_element(By.CSS_SELECTOR, "button[value=start]").click()


def _shows(browser: WebDriver, word: str) -> None:
    """Wait until the state is shown, by the page's own updates."""
    script = "return document.getElementById('state-title')?.textContent ?? ''"
    WebDriverWait(browser, SECONDS).until(lambda it: it.execute_script(script).split("  ")[0].strip().startswith(word))


def _from_login_to_csv(at: str, downloads: Path) -> dict[str, list[str]]:
    with browsers.chromium(downloads=downloads) as browser:
        browser.get(at)
        found = {"login": browsers.findings(browser)}
        browser.find_element(By.ID, "token").send_keys(TOKEN, Keys.ENTER)
        WebDriverWait(browser, SECONDS).until(lambda it: "Collections" in it.title)
        _add(browser, at, "https://www.small.example/contact")
        _shows(browser, "Done")
        found["done"] = browsers.findings(browser)
        browsers.shoot(browser, "cluster-done")
        browsers.press(browser, "csv")
        WebDriverWait(browser, SECONDS).until(lambda _: list(downloads.glob("*.csv")))
        return found


async def test_a_person_adds_a_domain_watches_it_finish_and_has_its_addresses(world: World, tmp_path: Path) -> None:
    world.simulator.set_domain("small.example", 7)
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with page_of(world) as at:
        found = await asyncio.to_thread(_from_login_to_csv, at, downloads)
    assert found == {"login": [], "done": []}
    with (downloads / "collect-small.example.csv").open(newline="", encoding="utf-8") as table:
        addresses = {row["email"] for row in csv.DictReader(table)}
    assert addresses == {person.value for person in truth("small.example", 7)}


def _fail_and_retry(world: World, at: str) -> list[str]:
    with browsers.chromium() as browser:
        browser.get(at)
        browser.find_element(By.ID, "token").send_keys(TOKEN, Keys.ENTER)
        WebDriverWait(browser, SECONDS).until(lambda it: "Collections" in it.title)
        _add(browser, at, "broken.example")
        _shows(browser, "Done, some failed")
        browsers.shoot(browser, "cluster-failed")
        found = browsers.findings(browser)
        world.simulator.set_domain("broken.example", 12)
        browsers.press(browser, "do-retry")
        WebDriverWait(browser, SECONDS).until(
            lambda it: it.execute_script("return document.getElementById('live').textContent").count("Collected")
        )
        browsers.shoot(browser, "cluster-retried")
        return found


async def test_a_person_retries_a_domain_that_failed(world: World) -> None:
    world.simulator.set_domain("broken.example", Domain(size=0, refused=True))
    with page_of(world) as at:
        assert await asyncio.to_thread(_fail_and_retry, world, at) == []
    results = await world.results("collect-broken.example")
    assert results["broken.example"].emails == 12
