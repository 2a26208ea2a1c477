"""A plain `quarto render` in the root of the project: what happens before and after it.

`_quarto.yml` calls `python -m analysis.publish.hooks before`, which builds results that are stale
and stages what pages need to know of each other, and `after`, which puts the site where
`python -m analysis report` puts it.
The study and the language are those of `_environment`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from analysis.errors import InputError
from analysis.lock import lock
from analysis.paths import PROJECT
from analysis.publish.pages import RenderError
from analysis.publish.site import check, put_in_place
from analysis.publish.stage import Staged, site_files, stage
from analysis.release.build import build, is_fresh
from analysis.study import load_study


def main(moment: str) -> None:
    study = load_study(os.environ["LEARNER_SURVEY_STUDY"], PROJECT)
    lang = os.environ["LEARNER_SURVEY_LANG"]
    with lock(study.paths):
        if moment == "before" and not is_fresh(study):
            build(study)
        staged = stage(study, lang)
        if moment == "after":
            output = Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"])
            rendered = output / "report" / lang
            choose_pages(rendered, output / "studies" / study.name / "report" / lang, staged)
            site_files(study.paths.results, rendered)
            check(staged, rendered)
            put_in_place(study.paths, {lang: rendered}, {})


def choose_pages(rendered: Path, own: Path, staged: Staged) -> None:
    """Quarto renders every page there is: the study's own take the place of common ones, and
    those the study has no results for go."""
    for path in sorted(own.glob("*.html")):
        path.replace(rendered / path.name)
    for name in staged.report.left_out:
        (rendered / f"{name}.html").unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (InputError, RenderError) as error:
        sys.exit(str(error))
