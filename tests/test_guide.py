"""The guide, followed word by word: every command, edit and message of studies/README.md."""

import re
import shlex
import shutil
from dataclasses import dataclass

import pytest

from analysis.cli import main
from analysis.paths import PROJECT, Paths
from analysis.pending import pending

GUIDE = PROJECT / "studies" / "README.md"
STEP = re.compile(
    r"<!-- (?P<mark>run|fails|says|undo|edit)(?: (?P<file>\S+))? -->\n"
    r"(?:```\w+\n(?P<body>.*?)\n```)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    mark: str
    file: str
    body: str


def steps(part):
    text = GUIDE.read_text(encoding="utf-8").split("\n## ")[part]
    return [Step(m["mark"], m["file"] or "", m["body"] or "") for m in STEP.finditer(text)]


@pytest.fixture
def project(tmp_path):
    """What a person has who has just fetched the project, without its studies."""
    for name in ("report", "tests/region"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copyfile(PROJECT / "_quarto.yml", tmp_path / "_quarto.yml")
    (tmp_path / "studies").mkdir()
    return tmp_path


class Reader:
    """Someone who does what the guide says, in a folder."""

    def __init__(self, root, capsys):
        self.root, self.capsys, self.said, self.before = root, capsys, "", {}

    def follow(self, step):
        getattr(self, step.mark)(step)

    def run(self, step, code=0):
        words = shlex.split(step.body)
        assert words[:3] == ["python", "-m", "analysis"]
        words = [str(self.root / w) if w.startswith("tests/") else w for w in words[3:]]
        assert main([*words, "--root", str(self.root)]) == code
        said = self.capsys.readouterr()
        self.said = said.out + said.err

    def fails(self, step):
        self.run(step, code=2)

    def says(self, step):
        assert step.body in self.said, self.said

    def edit(self, step):
        path = self.root / step.file
        lines = step.body.splitlines()
        old = "".join(line[1:] + "\n" for line in lines if line[0] == "-")
        new = "".join(line[1:] + "\n" for line in lines if line[0] == "+")
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        self.before = {path: text}
        path.write_text(text.replace(old, new), encoding="utf-8")

    def undo(self, _):
        for path, text in self.before.items():
            path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("part", "study"), [(1, "bretagne_2026"), (2, "brittany_2026")])
def test_the_guide_leads_to_a_report(part, study, project, capsys):
    """Both languages of the guide; pages are rendered once, as both ask for the same ones."""
    reader = Reader(project, capsys)
    followed = steps(part)
    marks = [step.mark for step in followed]
    assert marks.count("fails") == marks.count("undo") == 3 and marks.count("run") == 3
    last = max(at for at, step in enumerate(followed) if step.mark == "run")
    assert "report" in followed[last].body
    for step in followed[: last if part > 1 else None]:
        reader.follow(step)
    assert not pending(Paths(study, project), ["fr"])
    if part == 1:
        pages = project / "_site" / study / "fr"
        for name in ("index", "satisfaction", "motivations", "skills", "practice", "comments"):
            assert (pages / f"{name}.html").is_file(), name
        page = (pages / "satisfaction.html").read_text(encoding="utf-8")
        assert "Très satisfait" in page and "Région Bretagne" in page


def test_both_languages_of_the_guide_do_the_same():
    def same(part):
        return [(s.mark, s.body.replace("brittany", "bretagne").replace("Brittany", "Bretagne"))
                for s in steps(part)]  # fmt: skip

    assert same(1) == same(2) and len(same(1)) > 15


def test_the_sample_of_the_guide_is_what_its_script_writes():
    import csv  # noqa: PLC0415

    from region import make  # noqa: PLC0415

    with (PROJECT / "tests/region/export.csv").open(encoding="utf-8", newline="") as handle:
        assert list(csv.reader(handle)) == [make.HEADER, *make.people()]
