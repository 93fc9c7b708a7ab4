"""What the tests of the pages share: to ask through a page's form, and to read what it then shows."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import FrameLocator, JSHandle, Page, Route
from raw_client import wait_for

TURNING = re.compile(r"^[\\|/-] \d+$")

# Every text that these elements are given from now on, in the order of time; the log itself keeps ten.
FROM_NOW = """ids => {
  const texts = []
  const take = node => texts.push((node.firstChild ?? node).textContent) // a line of the log begins with its text
  const watch = new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(take)))
  for (const id of ids) watch.observe(document.getElementById(id), { childList: true })
  return texts
}"""


def ask(page: Page | FrameLocator, **fields: str | bool) -> None:
    """Fill fields of the form, and set check boxes, by name or else by id; then press Start again."""
    for name, value in fields.items():
        field = page.locator(f"input[name={name}], input#{name}:not([name])")
        if isinstance(value, bool):
            field.set_checked(value)
        else:
            field.fill(value)
    page.locator("#start").click()


def hold(page: Page, address: str) -> Callable[[], None]:
    """Hold requests to an address back; what this returns waits for the first, and lets it go on."""
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))

    def has_come() -> bool:
        page.wait_for_timeout(5)  # meanwhile Playwright hands over what has come
        return bool(held)

    def go_on() -> None:
        wait_for(has_come, f"a request to {address}")
        held[0].continue_()

    return go_on


def logged(page: Page, what: str = "text") -> list[str]:
    """The lines of the log: of each its `text`, its `when`, or its `gap`."""
    return page.locator(f"#log .{what}").all_text_contents()


def seconds(page: Page) -> list[float]:
    """When each line of the log came, since the press of Start."""
    return [float(when.removesuffix(" s")) for when in logged(page, "when")]


def texts_from_now(page: Page, *ids: str) -> JSHandle:
    """Return a list in the page that gets every text of these elements from now on."""
    return page.evaluate_handle(FROM_NOW, ids)


def numbers_in(texts: JSHandle) -> list[int]:
    """The numbers of the ticks among such texts."""
    return [int(text.split()[1]) for text in texts.json_value() if TURNING.fullmatch(text)]


def counted(page: Page, name: str) -> int:
    """What the page has counted so far."""
    return int(page.locator(f"#{name}").text_content() or "")


def expect_counted(page: Page, name: str, least: int) -> None:
    """Wait until the page has counted that far."""
    page.wait_for_function(f"Number(document.getElementById('{name}').textContent) >= {least}", timeout=5_000)


def expect_no_more_asks(page: Page) -> None:
    """A minute later, as the page's clock goes, not one more request has been made."""
    asks = counted(page, "asks")
    page.clock.fast_forward("01:00")
    assert counted(page, "asks") == asks
