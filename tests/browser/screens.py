"""
A browser in a thread of its own, and the screens that staff sits at.

Playwright's calls run an event loop in their thread, in which Django's database refuses to work: so nothing but them
happens there, and tests read the database as ever.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

T = TypeVar("T")

SMALL: Final = {"width": 390, "height": 844}
LARGE: Final = {"width": 1280, "height": 900}
# A page of this machine answers at once; what is longer is broken.
TIMEOUT_MS: Final = 10_000


class Box(NamedTuple):
    """Where something visible is, in pixels of the page, and what it says."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: "Box") -> bool:
        """Tell whether two boxes have more than a border in common."""
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > 1 and along > 1


class Chromium:
    """One browser, for all of the tests."""

    def __init__(self, executable: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="browser")
        self._playwright = self.do(lambda: sync_playwright().start())
        self._browser: Browser = self.do(
            lambda: self._playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        )

    def do(self, act: Callable[[], T]) -> T:
        """Do something in the browser's thread, and wait for it."""
        return self._thread.submit(act).result()

    def screen(
        self, *, url: str, cookie: tuple[str, str] | None = None, size: Any = LARGE, is_dark: bool = False, **more: Any
    ) -> "Screen":
        """Open a window in which somebody has logged in; without a cookie, nobody."""

        def begin() -> tuple[BrowserContext, Page]:
            scheme: Any = "dark" if is_dark else "light"
            context = self._browser.new_context(
                base_url=url, viewport=size, color_scheme=scheme, locale="en-GB", **more
            )
            context.set_default_timeout(TIMEOUT_MS)
            if cookie:
                context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": url}])
            return context, context.new_page()

        return Screen(self, *self.do(begin))

    def quit(self) -> None:
        """Close everything."""
        self.do(self._browser.close)
        self.do(self._playwright.stop)
        self._thread.shutdown()


@dataclass
class Screen:
    """What somebody sees and does. `complaints` are what the browser's console has said is wrong."""

    chromium: Chromium
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        """Go to an address."""
        self.chromium.do(lambda: self.page.goto(path, wait_until="load"))

    def press(self, *keys: str) -> None:
        """Press keys that stay on the page, one after the other."""
        for key in keys:
            self.chromium.do(partial(self.page.keyboard.press, key))

    def press_elsewhere(self, key: str, code: str) -> None:
        """Press a key on a keyboard of other letters: what it writes, and the place that it has."""
        self.chromium.do(lambda: self.page.evaluate(KEYDOWN, {"key": key, "code": code, "bubbles": True}))

    def go(self, key: str) -> None:
        """Press a key that leads to another page, and wait for it."""
        self._lead(lambda: self.page.keyboard.press(key))

    def click(self, name: str, *, within: str = "body") -> None:
        """Click the first button or link of a name, and wait for the page that it leads to."""
        place = self.page.locator(within)
        found = place.get_by_role("button", name=name).or_(place.get_by_role("link", name=name))
        self._lead(found.first.click)

    def tick(self, selector: str) -> None:
        """Tick a box, and let the page follow: what it shows depends on boxes."""

        def do() -> None:
            self.page.locator(selector).check()
            self.page.evaluate(PAINTED)

        self.chromium.do(do)

    def act_on_ticked(self, action: str) -> None:
        """Choose what is done about the ticked lines of a list."""
        self.chromium.do(lambda: self.page.locator("select[name=action]").select_option(label=action))
        self._lead(lambda: self.page.locator("button[name=index]").click())

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self.chromium.do(lambda: self.page.get_by_label(label).select_option(label=option))

    def write(self, label: str, text: str) -> None:
        """Type something into a field, key by key."""
        self.chromium.do(lambda: self.page.get_by_label(label).press_sequentially(text))

    def _lead(self, act: Callable[[], Any]) -> None:
        def do() -> None:
            with self.page.expect_navigation(wait_until="load"):
                act()

        self.chromium.do(do)

    @property
    def path(self) -> str:
        """The address that is shown."""
        return str(self.chromium.do(lambda: self.page.evaluate("location.pathname + location.search")))

    def text(self, selector: str = "body") -> str:
        """Return what can be read, spaces made one."""
        return " ".join(self.chromium.do(self.page.locator(selector).first.inner_text).split())

    def count(self, selector: str) -> int:
        """Return how many of something are visible."""
        return self.chromium.do(lambda: self.page.locator(selector).filter(visible=True).count())

    def boxes(self, selector: str) -> list[Box]:
        """Return where the visible ones of something are."""
        return [Box(*each) for each in self.chromium.do(lambda: self.page.evaluate(BOXES, selector))]

    def run(self, script: str, told: Any = None) -> Any:
        """Return what a script says; a function is called with what it is told, and a promise awaited."""
        return self.chromium.do(lambda: self.page.evaluate(script, told))

    def wait_for(self, script: str) -> None:
        """Wait until something is so."""
        self.chromium.do(lambda: self.page.wait_for_function(script))

    def beyond(self) -> int:
        """Return how many pixels of the page are beyond the right edge of the window."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.chromium.do(lambda: self.page.evaluate(script)))

    def brightness(self, selector: str) -> float:
        """Return how light something is filled, from 0 (black) to 1 (white)."""
        return float(self.chromium.do(lambda: self.page.evaluate(BRIGHTNESS, selector)))

    def close(self) -> None:
        """Close the window."""
        self.chromium.do(self.context.close)


BOXES: Final = """selector => [...document.querySelectorAll(selector)]
    .filter(each => each.checkVisibility())
    .map(each => [each.innerText || "", each.getBoundingClientRect()])
    .map(([text, box]) => [text, box.left, box.top, box.right, box.bottom])
    .filter(([text, left, top, right]) => right > left)"""

KEYDOWN: Final = "told => document.body.dispatchEvent(new KeyboardEvent('keydown', told))"

# Whatever notation the colour is in, a canvas paints it.
BRIGHTNESS: Final = """selector => {
    const found = document.querySelector(selector);
    const style = getComputedStyle(found);
    const paper = new OffscreenCanvas(1, 1).getContext("2d");
    paper.fillStyle = found instanceof SVGElement ? style.fill : style.backgroundColor;
    paper.fillRect(0, 0, 1, 1);
    const [red, green, blue] = paper.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / 3 / 255;
}"""

# Resolves once what has changed is on the screen.
PAINTED: Final = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
