"""Helpers for the tests of pages: fill in and submit the form of a page, and read what the page shows."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import FrameLocator, JSHandle, Page, Route
from raw_client import wait_for

TICK = re.compile(r"^[\\|/-] \d+$")

# Collect every text that these elements receive from now on, in the order of time. The log itself keeps ten.
FROM_NOW = """ids => {
  const texts = []
  const take = node => texts.push((node.firstChild ?? node).textContent) // a line of the log begins with its text
  const watch = new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(take)))
  for (const id of ids) watch.observe(document.getElementById(id), { childList: true })
  return texts
}"""


def submit(page: Page | FrameLocator, **fields: str | bool) -> None:
    """Fill in fields and set check boxes, by name or else by id, then press Start again."""
    for name, value in fields.items():
        field = page.locator(f"input[name={name}], input#{name}:not([name])")
        if isinstance(value, bool):
            field.set_checked(value)
        else:
            field.fill(value)
    page.locator("#start").click()


def hold(page: Page, address: str) -> Callable[[], None]:
    """Delay requests to an address. Return a function that waits for the first request and continues it."""
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))

    def arrived() -> bool:
        page.wait_for_timeout(5)  # Playwright calls the route handlers meanwhile
        return bool(held)

    def release() -> None:
        wait_for(arrived, f"a request to {address}")
        held[0].continue_()

    return release


def logged(page: Page, column: str = "text") -> list[str]:
    """Return one column of the log: "text", "when" or "gap"."""
    return page.locator(f"#log .{column}").all_text_contents()


def seconds(page: Page) -> list[float]:
    """Return the time of each line of the log, in seconds since the press of Start."""
    return [float(when.removesuffix(" s")) for when in logged(page, "when")]


def texts_from_now(page: Page, *ids: str) -> JSHandle:
    """Return a list in the page that collects every text of these elements from now on."""
    return page.evaluate_handle(FROM_NOW, ids)


def numbers_in(texts: JSHandle) -> list[int]:
    """Return the numbers of the ticks among such texts."""
    return [int(text.split()[1]) for text in texts.json_value() if TICK.fullmatch(text)]


def counted(page: Page, name: str) -> int:
    """Return a count that the page shows."""
    return int(page.locator(f"#{name}").text_content() or "")


def expect_counted(page: Page, name: str, least: int) -> None:
    """Wait until a count of the page is at least `least`."""
    page.wait_for_function(f"Number(document.getElementById('{name}').textContent) >= {least}", timeout=5_000)


def expect_no_more_requests(page: Page) -> None:
    """Check that the page sends no request during the next minute of its clock."""
    requests = counted(page, "requests")
    page.clock.fast_forward("01:00")
    assert counted(page, "requests") == requests
