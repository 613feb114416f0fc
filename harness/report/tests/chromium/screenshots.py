"""Makes the pictures of the README anew: runs what they show, opens the reports, writes docs/images.

Needs Playwright for Python and Debian's `chromium`; the pictures get smaller where `pngquant` is installed.
"""

import os
import pathlib
import shutil
import subprocess

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[4]
IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 200_000
# What is run, and the folder it leaves.
SHOWN = {
    "run": ("run haproxy-appliance-upgrade --procedure documented --quiet "
            "--fault power-on-new/vsphere.PowerOnVM_Task#1=task-fails", "haproxy-appliance-upgrade-documented-virtual-1"),
    "exploration": ("explore haproxy-appliance-swap --procedure documented", "haproxy-appliance-swap-explore"),
}


def shoot(browser, name, arguments, folder):
    # Cargo reads the settings of the folder it stands in.
    command = ["cargo", "run", "--release", "--quiet", "--", *arguments.split()]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    assert ended.returncode == 1, f"what is shown fails its checks, but {name} ended with {ended.returncode}"
    page = browser.new_page(viewport={"width": 1280, "height": 1330}, color_scheme="light")
    page.goto((ROOT / "grenadier-runs" / folder / "report.html").as_uri())
    page.wait_for_selector("html[data-ready-ms]", state="attached")
    picture = IMAGES / f"{name}.png"
    page.screenshot(path=picture)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--output", picture, "128", picture], check=True)
    size = picture.stat().st_size
    assert size < MOST_BYTES, f"{picture} has {size} bytes"
    print(f"{picture.relative_to(ROOT)}: {size} bytes")


IMAGES.mkdir(exist_ok=True)
with sync_playwright() as playwright:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
    for name, (what, folder) in SHOWN.items():
        shoot(browser, name, what, folder)
    browser.close()
