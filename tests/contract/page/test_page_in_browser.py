"""Chromium drives the page over a gateway in memory: with and without JavaScript, by keyboard, in both colours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from page import browser as browsers
from page import memory_gateway as memory
from page.memory_gateway import ALL, MemoryGateway
from page.serving import served

SECONDS = 30


@pytest.fixture
def gateway() -> MemoryGateway:
    made = MemoryGateway()
    memory.working(made)
    memory.finished(made)
    return made


@pytest.fixture
def at(gateway: MemoryGateway) -> Iterator[str]:
    with served(memory.app_of(gateway, history=40)) as address:
        yield address


def log_in(browser: WebDriver, at: str) -> None:
    browser.get(f"{at}/")
    browser.find_element(By.ID, "token").send_keys(ALL, Keys.ENTER)
    WebDriverWait(browser, SECONDS).until(lambda it: "Collections" in it.title)


def preview(browser: WebDriver) -> None:
    """Send the list, and wait for the page that shows how it was read: a click may return before it is there."""
    browser.find_element(By.CSS_SELECTOR, "main button.main").click()
    WebDriverWait(browser, SECONDS).until(lambda it: it.find_elements(By.ID, "budget"))


def complaints(browser: WebDriver) -> list[str]:
    """Return what the console says of pages that break their own policy, or of scripts that fail."""
    log: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in log if entry["level"] == "SEVERE"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(at: str, scheme: str) -> None:
    with browsers.chromium() as browser:
        browsers.colours(browser, scheme)
        browser.get(at)
        found = {"login": browsers.findings(browser)}
        log_in(browser, at)
        pages = {"list": "/", "one": "/collections/q4-prospects", "done": "/collections/berlin", "new": "/new"}
        for name, path in {**pages, "missing": "/nowhere"}.items():
            browser.get(at + path)
            found[name] = browsers.findings(browser)
            browsers.shoot(browser, f"{name}-{scheme}")
        browser.get(f"{at}/new")
        browser.find_element(By.ID, "domains").send_keys("a.example\nnothing\nb@c.example\n")
        preview(browser)
        found["preview"] = browsers.findings(browser)
        browsers.shoot(browser, f"preview-{scheme}")
        assert {name: one for name, one in found.items() if one} == {}


def test_the_page_fits_a_narrow_screen(at: str) -> None:
    with browsers.chromium() as browser:
        log_in(browser, at)
        for path in ("/", "/collections/q4-prospects", "/new"):
            browser.get(at + path)
            metrics = {"width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 320
        browsers.shoot(browser, "new-320")


def test_it_updates_live_says_so_and_keeps_the_focus(at: str, gateway: MemoryGateway) -> None:
    with browsers.chromium() as browser:
        log_in(browser, at)
        browser.get(f"{at}/collections/q4-prospects")
        browser.find_element(By.ID, "q").send_keys("company-11")
        browser.execute_script("document.getElementById('csv').focus()")
        memory.working(gateway, done=90)
        WebDriverWait(browser, SECONDS).until(lambda it: "90 of 120" in it.find_element(By.ID, "live").text)
        assert "70 percent done" in browser.execute_script("return document.getElementById('said').textContent")
        assert browser.switch_to.active_element.get_attribute("id") == "csv"
        assert browser.find_element(By.ID, "q").get_attribute("value") == "company-11"
        assert complaints(browser) == []


def test_a_session_that_ends_leads_to_the_login_by_itself(at: str, gateway: MemoryGateway) -> None:
    with browsers.chromium() as browser:
        log_in(browser, at)
        gateway.rights.clear()
        WebDriverWait(browser, SECONDS).until(lambda it: "Log in" in it.title)


def test_all_can_be_done_without_javascript(at: str, gateway: MemoryGateway) -> None:
    with browsers.chromium(script=False) as browser:
        log_in(browser, at)
        browser.get(f"{at}/new")
        browser.find_element(By.ID, "domains").send_keys("fresh.example")
        preview(browser)
        browser.find_element(By.ID, "budget").send_keys("7")
        browser.find_element(By.CSS_SELECTOR, "button[value=start]").click()
        WebDriverWait(browser, SECONDS).until(lambda it: "collect-fresh.example" in it.title)
        assert gateway.made[0].max_credits == 7
        browser.get(f"{at}/collections/q4-prospects")
        assert "Reload" in browser.find_element(By.CSS_SELECTOR, "noscript").text
        browsers.press(browser, "do-retry")
        WebDriverWait(browser, SECONDS).until(lambda _: gateway.patches)
        assert [list(spec) for _, spec in gateway.patches] == [["retryFailed"]]


def test_a_keyboard_is_enough(at: str) -> None:
    with browsers.chromium() as browser:
        log_in(browser, at)
        browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
        assert browser.switch_to.active_element.text == "Skip to the content"
        reached = set()
        for _ in range(15):
            browser.switch_to.active_element.send_keys(Keys.TAB)
            reached.add(browser.switch_to.active_element.get_attribute("id"))
        assert {"q", "go-q4-prospects", "go-berlin"} <= reached


def test_a_file_is_uploaded_and_a_table_downloaded(at: str, tmp_path: Path) -> None:
    leads = tmp_path / "leads.csv"
    leads.write_text("name,website\nA,https://a.example/contact\nB,nothing\n", encoding="utf-8")
    with browsers.chromium(downloads=tmp_path) as browser:
        log_in(browser, at)
        browser.get(f"{at}/new")
        browser.find_element(By.ID, "file").send_keys(str(leads))
        preview(browser)
        assert "file row 3" in browser.find_element(By.TAG_NAME, "main").text
        browser.get(f"{at}/collections/berlin")
        browsers.press(browser, "csv")
        WebDriverWait(browser, SECONDS).until(lambda _: (tmp_path / "berlin.csv").exists())
        assert (tmp_path / "berlin.csv").read_bytes() == b"berlin as csv\r\n"
