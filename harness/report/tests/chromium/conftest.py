"""Pages in headless Chromium. GRENADIER_PAGES is the folder with the pages, GRENADIER_CHROMIUM the browser."""

import os
import pathlib
import shutil

import pytest
from playwright.sync_api import sync_playwright

PAGES = pathlib.Path(os.environ["GRENADIER_PAGES"])
WIDTHS = {"wide": 1280, "narrow": 390}


class Opened:
    """A page, and everything it did that it must not do."""

    def __init__(self, browser, path, width=1280, scheme="light", scripts=True):
        self.path = PAGES / path
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.goto(self.path.as_uri())
        if scripts:
            self.page.wait_for_selector("html[data-ready-ms]", state="attached")

    def left(self):
        """The requests that were for something else than the page itself or what is written in it."""
        own = self.path.as_uri()
        return [url for url in self.requests if url.split("#")[0] != own and not url.startswith("data:")]


@pytest.fixture(scope="session")
def browser():
    program = os.environ.get("GRENADIER_CHROMIUM") or shutil.which("chromium")
    # A container's root has no user namespaces to build a sandbox from, and the pages are ours.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    pages = []

    def open_page(*arguments, **named):
        pages.append(Opened(browser, *arguments, **named))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()
