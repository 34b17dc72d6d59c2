"""The locked requirements: they fit pyproject.toml and each other, and say nothing of where a machine gets packages."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement

from scripts.generate import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
ASKED = {
    "run": PROJECT["dependencies"],
    "dev": PROJECT["dependencies"] + PYPROJECT["dependency-groups"]["dev"] + PYPROJECT["build-system"]["requires"],
    "kerberos": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["kerberos"],
}
# The index of Python's packages and its files, npm's and any other registry, an index by its path or as a setting.
INDEX = re.compile(r"py(?:pi|thonhosted)[.]org|//registry[.]|//[^\s|]+/simple\b|index[-_]url", re.IGNORECASE)


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ASKED)
def test_lock_has_what_the_project_asks_for(name: str) -> None:
    pinned = pins(name)
    asked = [Requirement(each) for each in ASKED[name]]
    assert [str(each) for each in asked if not each.specifier.contains(pinned.get(each.name, "0"))] == []


def test_locks_agree() -> None:
    # `make kerberos` puts the one into the environment of the other.
    run, dev, kerberos = pins("run"), pins("dev"), pins("kerberos")
    assert run.items() <= dev.items()
    assert run.items() <= kerberos.items()
    assert {name: dev[name] for name in dev.keys() & kerberos.keys()}.items() <= kerberos.items()


def test_no_file_names_a_package_index() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    files = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout
    paths = [ROOT / name for name in files.split("\0") if name]
    assert [str(path) for path in paths if path.is_file() and INDEX.search(path.read_text(errors="ignore"))] == []
