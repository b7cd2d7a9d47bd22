"""The house keeps its shape: what import-linter cannot say."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("crypto", "trading", "documents", "bidding", "auction", "clients")
SOURCES = [
    *sorted(
        path
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if "vendor" not in path.parts and "versions" not in path.parts
    ),
    ROOT / "main.py",
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EXACT = ("trading", "bidding", "auction")


def _ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=_ids)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_every_public_name_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{_ids(path)} has no module docstring"
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not bare, f"{_ids(path)}: {bare}"


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_nobody_imports_the_front_door(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        assert "main" not in names


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.relative_to(ROOT).parts[0] in EXACT], ids=_ids
)
def test_no_float_comes_near_money(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_call = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "float"
        )
        assert not is_call, f"{_ids(path)}:{getattr(node, 'lineno', 0)}"


@pytest.mark.parametrize("path", SOURCES, ids=_ids)
def test_no_unfinished_work_is_marked(path: Path) -> None:
    marks = re.findall(r"\b(?:TODO|FIXME|XXX|HACK|NotImplementedError)\b", path.read_text("utf-8"))
    assert not marks


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index-url" not in text


def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [ROOT / ".venv/bin/lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_contracts_would_notice_a_wrong_import(tmp_path: Path) -> None:
    """Negative control: a floor that reaches up is refused."""
    for floor in FLOORS:
        (tmp_path / floor).mkdir()
        (tmp_path / floor / "__init__.py").write_text('"""Floor."""\n', encoding="utf-8")
    (tmp_path / "crypto" / "bad.py").write_text("import trading\n", encoding="utf-8")
    (tmp_path / "contracts.ini").write_text(
        "[importlinter]\nroot_packages =\n  "
        + "\n  ".join(FLOORS)
        + "\n[importlinter:contract:1]\nname = floors\ntype = layers\nlayers =\n  clients\n"
        "  bidding | auction\n  documents\n  trading\n  crypto\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [ROOT / ".venv/bin/lint-imports", "--no-cache", "--config", "contracts.ini"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "crypto" in done.stdout
