"""The commands: `python -m analysis` and `learner-survey`.

Exit 0: done. 1: a defect of ours. 2: something in the input must change.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from analysis.errors import DefectError, InputError, Problem, nearest, of_system
from analysis.lock import WAIT, lock
from analysis.paths import PROJECT, Paths
from analysis.pending import pending
from analysis.study import Study, load_study


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    arguments = _parser().parse_args(argv)
    root = Path(arguments.root).resolve()
    try:
        return _run(arguments, root)
    except InputError as error:
        return _mend(error.problems, report=arguments.run is not new)
    except DefectError as error:
        print(f"a defect of this software, not of the input: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        problem = of_system(error, Paths("", root).shown)
        if problem is None:
            raise
        return _mend([problem])
    except KeyboardInterrupt:
        print("interrupted; what stood before still stands", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace, root: Path) -> int:
    """The command, with the study or the studies that it is for; `new` has none yet."""
    if arguments.run is new:
        return new(arguments)
    if isinstance(arguments.study, list):
        return arguments.run([_load(name, root) for name in arguments.study], arguments)
    return arguments.run(_load(arguments.study, root), arguments)


def _mend(problems: Sequence[Problem], report: bool = True) -> int:
    """Say what must change, and give the exit code of it. report: whether one was written."""
    print("\n\n".join(problem.block() for problem in problems), file=sys.stderr)
    count = len(problems)
    beside = " beside the validation report" if report else ""
    print(
        f"\n{count} problem{'s' if count > 1 else ''} to mend; nothing was written{beside}.",
        file=sys.stderr,
    )
    return 2


def _load(name: str, root: Path) -> Study:
    """The study; what is wrong with its definition also goes into the validation report."""
    try:
        return load_study(name, root)
    except InputError as error:
        paths = Paths(name, root)
        if paths.definition.is_dir():
            from analysis.intake.validation import write_study_problems  # noqa: PLC0415

            with suppress(InputError), lock(paths, wait=0):  # a command at work needs no page
                write_study_problems(paths, error.problems)
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="learner-survey", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, words in (
        ("validate", validate, "read and check every source"),
        ("scan", scan, "look through open answers for what may point at a person"),
        ("build", build, "validate, clean, analyse, release"),
        ("audit", audit, "compare published figures with results"),
        ("report", report, "build if needed, then render"),
        ("preview", preview, "serve the report and make it again as it is written"),
        ("reconstruct", reconstruct, "rebuild answers from published figures"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("study", metavar="STUDY")
        _common(command)
        command.set_defaults(run=run)
        if name == "report":
            _rendering(command)
            command.add_argument("--pdf", action="store_true", help="print it too, by Chromium")
        if name == "preview":
            command.add_argument("--lang", default=None, help="language of the report")
            command.add_argument("--port", type=int, default=4343)
    several = commands.add_parser("compare", help="hold studies, or waves, against the first")
    several.add_argument("study", metavar="STUDY", nargs="+")
    _common(several)
    _rendering(several)
    several.set_defaults(run=compare)
    _add_new(commands)
    return parser


def _common(command: argparse.ArgumentParser) -> None:
    """What every command may be told."""
    command.add_argument("--root", default=str(PROJECT), help=argparse.SUPPRESS)
    command.add_argument(
        "--wait", type=float, default=WAIT, metavar="SECONDS",
        help="how long to wait for another command on the same study (%(default)g)",
    )  # fmt: skip


def _rendering(command: argparse.ArgumentParser) -> None:
    """What every command that renders pages may be told."""
    command.add_argument("--lang", default=None, help="one language (if not said: all)")
    command.add_argument("--engine", choices=("auto", "quarto", "pandoc"), default="auto")


def _add_new(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("new", help="start a study from a questionnaire and an export")
    command.add_argument("study", metavar="STUDY")
    command.add_argument("--form", type=Path, help="questionnaire: an XLSForm, .xlsx or .csv")
    command.add_argument("--export", type=Path, help="answers, as the survey tool exports them")
    command.add_argument("--lang", choices=("fr", "en"), help="language of the wordings")
    command.add_argument("--root", default=str(PROJECT), help=argparse.SUPPRESS)
    command.set_defaults(run=new)


def _progress() -> Callable[[str], None]:
    """Progress on a terminal, and nothing of it elsewhere."""
    if sys.stderr.isatty():
        return lambda text: print(f"  {text}…", file=sys.stderr)
    return lambda _: None


def _alone(study: Study, arguments: argparse.Namespace) -> AbstractContextManager[None]:
    """The lock of the study, as long as the caller would wait for it."""
    return lock(study.paths, arguments.wait, _progress())


def new(arguments: argparse.Namespace) -> int:
    from analysis.start import start, told  # noqa: PLC0415

    root = Path(arguments.root).resolve()
    made = start(arguments.study, arguments.form, arguments.export, root, arguments.lang)
    print(told(made))
    return 0


def validate(study: Study, arguments: argparse.Namespace) -> int:
    from analysis.intake.clean import extract_engine  # noqa: PLC0415
    from analysis.intake.validation import validate, write_validation  # noqa: PLC0415

    with _alone(study, arguments):
        with extract_engine(study) as engine:
            clean, problems = validate(study, engine, _progress())
        page = write_validation(study, clean, problems)
    if problems:
        print(f"report: {study.paths.shown(page)}", file=sys.stderr)
        raise InputError(problems)
    print(f"{study.name}: no problem found; report: {study.paths.shown(page)}")
    for remark in (found for source in clean.sources for found in source.remarks):
        print(f"to look at, though it stops nothing:\n{remark.block()}", file=sys.stderr)
    left = pending(study.paths, study.definition.languages)
    if left:
        print(f"left to decide: {len(left)}", *(f"  {each.line()}" for each in left), sep="\n")
    return 0


def scan(study: Study, _: argparse.Namespace) -> int:
    from analysis.intake.scan import scan  # noqa: PLC0415
    from analysis.release.free_text import FILE  # noqa: PLC0415

    path, found = scan(study)
    flagged = int((found["found"] != "").sum())
    review = study.paths.shown(study.paths.definition / FILE)
    print(
        f"{study.name}: {len(found)} open answers, {flagged} of them with something that may point "
        f"at a person: {study.paths.shown(path)}\nnothing is published: read the file, edit it, "
        f"write yes under publish where an answer may go out, and save it as {review}"
    )
    return 0


def build(study: Study, arguments: argparse.Namespace) -> int:
    from analysis.release.build import build  # noqa: PLC0415

    with _alone(study, arguments):
        folder = build(study, _progress())
    print(f"{study.name}: results in {study.paths.shown(folder)}")
    return 0


def _fresh(study: Study, arguments: argparse.Namespace) -> None:
    """Build what is stale, unless another process does so meanwhile."""
    from analysis.release.build import build, is_fresh  # noqa: PLC0415

    if is_fresh(study):
        return
    with _alone(study, arguments):
        if not is_fresh(study):
            build(study, _progress())


def audit(study: Study, arguments: argparse.Namespace) -> int:
    import pandas as pd  # noqa: PLC0415

    from analysis.release.audit import summary  # noqa: PLC0415

    if study.published is None:
        print(f"{study.name}: no published.csv, so nothing to audit")
        return 0
    _fresh(study, arguments)
    rows = pd.read_csv(study.paths.results / "audit.csv", keep_default_na=False)
    print(f"{study.name}: {len(rows)} published figures")
    for status, count in summary(rows).items():
        print(f"  {status:<13} {count:>4}")
    for row in rows[rows["status"].isin(["truncated", "impossible", "contradicted"])].itertuples():
        print(
            f"\n{row.status}: {row.figure_id}\n  published {row.published}; "
            f"recomputed {row.recomputed}\n  {row.explanation}"
        )
    print(f"\nevery figure: {study.paths.shown(study.paths.results / 'audit.csv')}")
    return 0


def _languages(study: Study, asked: str | None) -> list[str]:
    """The language asked for, or every one the study and the pages have. Raises InputError."""
    pages = {path.parent.name for path in study.paths.pages.glob("*/index.qmd")}
    written = [lang for lang in study.definition.languages if lang in pages]
    if asked is None and written:
        return written
    lang = asked or study.definition.languages[0]
    if lang not in written:
        found = Problem("report/", "a report is rendered in a language of the study that its "
                        "pages are written in", lang, ", ".join(written),
                        nearest(lang, written))  # fmt: skip
        raise InputError([found])
    return [lang]


def report(study: Study, arguments: argparse.Namespace) -> int:
    from analysis.publish.pages import RenderError  # noqa: PLC0415
    from analysis.publish.site import choose_engine, render_languages  # noqa: PLC0415

    langs = _languages(study, arguments.lang)
    if arguments.pdf:
        from analysis.publish.paper import find_chromium  # noqa: PLC0415

        find_chromium()  # said before the work, not after it
    with _alone(study, arguments):
        _fresh(study, arguments)
        engine = choose_engine(arguments.engine)
        print(f"{study.name}: pages in {' and '.join(langs)}, rendered with {engine}")
        try:
            sites = render_languages(study, langs, engine, _progress())
        except RenderError as error:
            print(
                f"the report could not be rendered; the one before stands\n{error}",
                file=sys.stderr,
            )
            return 1
        for site in sites:
            print(f"{study.name}: report in {study.paths.shown(site)}")
        return max([_print(study, lang) for lang in langs]) if arguments.pdf else 0


def compare(studies: list[Study], arguments: argparse.Namespace) -> int:
    from analysis.comparison.build import build, in_order, languages  # noqa: PLC0415
    from analysis.publish.compared import pages_in, render  # noqa: PLC0415
    from analysis.publish.pages import RenderError  # noqa: PLC0415
    from analysis.publish.site import choose_engine  # noqa: PLC0415

    studies = in_order(studies)
    shown = studies[0].paths.shown
    langs = pages_in(studies[0].paths.pages, languages(studies), arguments.lang)
    for study in studies:
        _fresh(study, arguments)
    folder = build(studies)
    for line in _compared(folder, studies):
        print(line)
    engine = choose_engine(arguments.engine)
    try:
        sites = render(studies, langs, engine, _progress())
    except RenderError as error:
        print(f"the page could not be rendered; the one before stands\n{error}", file=sys.stderr)
        return 1
    for site in sites:
        print(f"page in {shown(site)}")
    return 0


def _compared(folder: Path, studies: list[Study]) -> list[str]:
    """What was compared, in a few lines for the screen."""
    import pandas as pd  # noqa: PLC0415

    questions = pd.read_csv(folder / "questions.csv", keep_default_na=False)
    lines = []
    for other, rows in questions.groupby("other", sort=False):
        there = rows[rows["reason"] != "not_asked"]
        kept = there[there["comparable"] == "yes"]
        lines.append(f"{other} against {studies[0].name}: {len(kept)} of {len(there)} questions "
                     f"that both ask can be compared")  # fmt: skip
        apart = there[there["comparable"] == "no"]
        lines += [f"  not {row.question}: {', '.join(str(row.reason).split(';'))}"
                  for row in apart.itertuples()]  # fmt: skip
    judged = questions["reason"].str.contains("wording|answers|limit|routing|period")
    if judged.any():
        lines.append("a difference that does not matter is declared in studies/comparisons.yml")
    return [*lines, f"numbers in {studies[0].paths.shown(folder)}"]


def preview(study: Study, arguments: argparse.Namespace) -> int:
    from analysis.publish.preview import run  # noqa: PLC0415

    lang = _languages(study, arguments.lang)[0]
    run(study, lang, arguments.port, lambda text: print(f"{study.name}: {text}", flush=True))
    return 0


def _print(study: Study, lang: str) -> int:
    """Print the report that is in place."""
    from analysis.publish.pages import RenderError  # noqa: PLC0415
    from analysis.publish.paper import print_report  # noqa: PLC0415

    try:
        document = print_report(study, lang, _progress())
    except RenderError as error:
        print(f"the report could not be printed; its pages stand\n{error}", file=sys.stderr)
        return 1
    print(f"{study.name}: document in {study.paths.shown(document)}")
    return 0


def reconstruct(study: Study, arguments: argparse.Namespace) -> int:
    from analysis.reconstruct import reconstruct  # noqa: PLC0415

    with _alone(study, arguments):
        written = reconstruct(study)
    for path in written:
        print(study.paths.shown(path))
    return 0
