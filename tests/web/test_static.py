"""What the browser loads: vendored files are what they say, words exist in both languages, nothing is inline."""

import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "clients" / "web"
CATALOGUE: dict[str, list[str]] = json.loads((WEB / "i18n/catalogue.json").read_text("utf-8"))
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
SCRIPTS = sorted((WEB / "static/js").glob("*.js"))
STYLES = sorted((WEB / "static/css").glob("*.css"))
KEY = re.compile(r"\bt\(\s*[\"']([a-z0-9_.]+)[\"']")
PREFIX = re.compile(r"\bt\(\s*[\"']([a-z0-9_.]+[._])[\"']\s*\+")


def test_vendored_files_have_the_hashes_they_were_taken_with() -> None:
    vendor = WEB / "static/vendor"
    listed = tomllib.loads((vendor / "VENDOR.toml").read_text("utf-8"))["file"]
    for entry in listed:
        assert hashlib.sha256((vendor / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]
        assert (vendor / entry["licences"]).is_file()
    known = {entry["name"] for entry in listed} | {entry["licences"] for entry in listed}
    assert {p.name for p in vendor.iterdir()} == known | {"VENDOR.toml", "ui.d.ts"}


def test_every_word_a_page_asks_for_is_in_the_catalogue_in_both_languages() -> None:
    asked = {key for path in TEMPLATES + SCRIPTS for key in KEY.findall(path.read_text("utf-8"))}
    whole = {key for key in asked if not key.endswith((".", "_"))}
    assert whole <= set(CATALOGUE), sorted(whole - set(CATALOGUE))
    assert all(len(pair) == 2 and all(pair) for pair in CATALOGUE.values())


def test_no_word_of_the_catalogue_is_dead() -> None:
    text = "\n".join(p.read_text("utf-8") for p in TEMPLATES + SCRIPTS)
    rooms = "\n".join(p.read_text("utf-8") for p in WEB.parents[1].glob("*/pages.py"))
    prefixes = tuple(PREFIX.findall(text)) + tuple(re.findall(r"f?\"([a-z.]+\.)\{", rooms))
    dead = [
        key
        for key in CATALOGUE
        if f'"{key}"' not in text + rooms
        and f"'{key}'" not in text + rooms
        and not key.startswith(prefixes)
    ]
    assert not dead


def test_names_to_fill_in_are_the_same_in_both_languages() -> None:
    for key, (chinese, english) in CATALOGUE.items():
        assert set(re.findall(r"\{(\w+)\}", chinese)) == set(re.findall(r"\{(\w+)\}", english)), key


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_a_template_has_no_inline_script_style_or_foreign_address(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert " style=" not in text
    assert "<style" not in text
    assert "onclick" not in text
    assert not re.search(r"(?:src|href)=\"https?:", text)
    assert "|safe" not in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_a_script_uses_no_sink_that_trusted_types_forbid(path: Path) -> None:
    text = path.read_text("utf-8")
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    ):
        assert sink not in text


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.name)
def test_a_style_sheet_loads_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_a_script_parses(path: Path) -> None:
    done = subprocess.run(
        ["node", "--check", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("tsc") is None, reason="tsc is not on this machine")
def test_scripts_have_sound_types() -> None:
    done = subprocess.run(
        ["tsc", "-p", str(WEB / "tsconfig.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
