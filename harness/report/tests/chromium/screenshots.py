"""Makes the pictures of the README anew: runs what they show, opens the reports, writes docs/images.

Needs Playwright for Python and Debian's `chromium`; the pictures get smaller where `pngquant` is installed.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[4]
IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 200_000
SHOWN = {
    "run": ["run", "haproxy-appliance-upgrade", "--procedure", "documented", "--quiet",
            "--fault", "power-on-new/vsphere.PowerOnVM_Task#1=task-fails"],
    "exploration": ["explore", "haproxy-appliance-swap", "--procedure", "documented"],
}


def shoot(browser, name, arguments, folder):
    command = ["cargo", "run", "--release", "--quiet", "--manifest-path", str(ROOT / "Cargo.toml"), "--", *arguments]
    # What is shown fails its checks, and the page shows the command as somebody would type it.
    ended = subprocess.run([*command, "--out", name], cwd=folder, stdout=subprocess.DEVNULL)
    assert ended.returncode == 1, f"{name} ended with {ended.returncode}"
    page = browser.new_page(viewport={"width": 1280, "height": 1330}, color_scheme="light")
    page.goto((folder / name / "report.html").as_uri())
    page.wait_for_selector("html[data-ready-ms]", state="attached")
    picture = IMAGES / f"{name}.png"
    page.screenshot(path=picture)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--skip-if-larger", "--output", picture, "128", picture], check=True)
    size = picture.stat().st_size
    assert size < MOST_BYTES, f"{picture} has {size} bytes"
    print(f"{picture.relative_to(ROOT)}: {size} bytes")


IMAGES.mkdir(exist_ok=True)
with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
    for name, what in SHOWN.items():
        shoot(browser, name, what, pathlib.Path(folder))
    browser.close()
