"""Makes anew what is made from the example articles: the picture of the report, and the notebooks' outputs.

python notebooks/make_samples.py             # needs Chromium, and the extra dev
python notebooks/make_samples.py --picture   # the picture alone
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# As wide as the page, and as high as what one wants to see of it.
WIDTH, HEIGHT = 1040, 1480
# A browser that asks for nothing, keeps nothing and calls nobody.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", action="store_true", help="only the picture of the report")
    chosen = parser.parse_args()
    draw_report()
    if not chosen.picture:
        run_notebooks()


def find_browser() -> str:
    """The browser that $LOADEDWORDS_CHROMIUM names, or the first of the usual ones."""
    for name in (os.environ.get("LOADEDWORDS_CHROMIUM"), *BROWSERS):
        if name and (found := shutil.which(name)):
            return found
    sys.exit(
        "There is no Chromium to draw the report with.\n"
        f"Looked for: $LOADEDWORDS_CHROMIUM, {', '.join(BROWSERS)}.\n"
        "Install it (Debian: apt-get install chromium; macOS: brew install --cask chromium), or name it in LOADEDWORDS_CHROMIUM."
    )


def draw_report() -> None:
    """Score the example articles as the README says and take a picture of the top of their report."""
    browser = find_browser()
    with tempfile.TemporaryDirectory() as folder:
        scores = Path(folder) / "scores"
        command = [sys.executable, "-m", "loadedwords", "score", "data/coverage.jsonl", "-o", str(scores)]
        subprocess.run(command, check=True, cwd=HERE, stdout=subprocess.DEVNULL)
        drawn = Path(folder) / "report.png"
        subprocess.run(
            [
                browser,
                *QUIET,
                f"--user-data-dir={folder}/profile",
                f"--window-size={WIDTH},{HEIGHT}",
                f"--screenshot={drawn}",
                (scores / "report.html").as_uri(),
            ],
            check=True,
            timeout=120,
            stderr=subprocess.DEVNULL,
        )
        if not drawn.is_file():
            sys.exit(f"{browser} took no picture of {scores / 'report.html'}.\nRun it by hand to see what it says.")
        shutil.copy(drawn, PICTURE)
    print(PICTURE)


def run_notebooks() -> None:
    """Run every notebook from a new kernel and keep its outputs; warnings of this machine are left out."""
    import nbformat
    from nbclient import NotebookClient

    for file in sorted(HERE.glob("*.ipynb")):
        notebook = nbformat.read(file, as_version=4)
        where = {"metadata": {"path": str(HERE)}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where, record_timing=False).execute()
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        nbformat.write(notebook, file)
        print(file)


if __name__ == "__main__":
    main()
