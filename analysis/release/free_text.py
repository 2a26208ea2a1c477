"""What people wrote, let out only where a person said so.

`studies/<study>/comments.csv` holds `question, id, publish, text` (and whatever the scan wrote
beside them). What is published is its text, which someone read and may have edited, never the raw
answer. Without the file, or without `yes`, nothing is.
"""

from __future__ import annotations

import pandas as pd

from analysis.errors import InputError, Problem, nearest
from analysis.plain import strange, unguarded_frame
from analysis.study import Study

FILE = "comments.csv"
COLUMNS = ["question", "id", "publish", "text"]
DECISIONS = ("yes", "no", "")
LONGEST = 5_000
# Fewer than this never share a name, whatever the study's threshold.
FEWEST = 3
QUOTES = ["question", "text"]
ANSWERS = ["question", "answer", "kind", "count"]


def free_text(study: Study, survey: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """`quotes` (comments, in an order that says nothing of who wrote them) and `open_answers`
    (other open questions, counted); neither where nothing may be published.

    survey: the clean table. Raises InputError for a review that does not fit the answers.
    """
    review = read_review(study, survey)
    published = review[review["publish"] == "yes"]
    quoted = published["question"] == study.roles.comment
    quotes = published.loc[quoted, QUOTES].sort_values(QUOTES, ignore_index=True)
    answers = [grouped(str(name), rows["text"], fewest(study))
               for name, rows in published[~quoted].groupby("question")]  # fmt: skip
    found = {"quotes": quotes}
    if answers:
        found["open_answers"] = pd.concat(answers, ignore_index=True)
    return {name: frame for name, frame in found.items() if len(frame)}


def fewest(study: Study) -> int:
    """How many people, or rows of an extract, must share a text that is not of the study's own."""
    rules = study.definition.disclosure
    asked = rules.minimum_count if rules and not rules.public else 0
    return max(study.definition.thresholds.suppressed_base, asked, FEWEST)


def grouped(question: str, texts: pd.Series, least: int) -> pd.DataFrame:
    """Answers by how many gave them; those of fewer than `least` are one row, `other`.

    Where that row alone would be of fewer, the answer with the fewest givers joins it. Nothing
    where all of them together are fewer.
    """
    counts = texts.str.strip().value_counts()
    counts = counts.sort_index().sort_values(ascending=False, kind="stable")
    named, few = counts[counts >= least], int(counts[counts < least].sum())
    while 0 < few < least and len(named):
        few, named = few + int(named.iloc[-1]), named.iloc[:-1]
    rows = [[question, name, "named", int(count)] for name, count in named.items()]
    if few >= least:
        rows.append([question, "", "other", few])
    return pd.DataFrame(rows, columns=ANSWERS)


def read_review(study: Study, survey: pd.DataFrame) -> pd.DataFrame:
    """comments.csv as COLUMNS, by row of the file; empty where there is none. Raises InputError."""
    path = study.paths.definition / FILE
    if not path.is_file():
        return pd.DataFrame(columns=COLUMNS)
    # Readers are slow to import, and few studies publish what people wrote.
    from analysis.intake.readers import read_table  # noqa: PLC0415

    shown = study.paths.shown(path)
    read = unguarded_frame(read_table(path, shown))
    missing = [name for name in COLUMNS if name not in read]
    if missing:
        problem = Problem(shown, "a review has its columns", "no " + ", ".join(missing),
                          ", ".join(COLUMNS), "add the columns", 1)  # fmt: skip
        raise InputError([problem])
    review = read[COLUMNS].fillna("")
    problems = _problems(study, review, survey, shown)
    if problems:
        raise InputError(problems)
    return review


def _problems(
    study: Study, review: pd.DataFrame, survey: pd.DataFrame, shown: str
) -> list[Problem]:
    from analysis.intake.scan import identifier, open_questions  # noqa: PLC0415

    key, known = identifier(study), open_questions(study)
    answers = survey.set_index(survey[key].astype(str) if key else survey.index.astype(str))
    twice = review.duplicated(["question", "id"])
    problems = []

    def add(row: object, column: str, rule: str, found: str, expected: str, action: str) -> None:
        problems.append(Problem(shown, rule, found, expected, action, int(str(row)), column))

    for row, question, name, publish, text in review.itertuples(name=None):
        if question not in known:
            add(row, "question", "a review names an open question", question,
                "a question with open answers", nearest(question, known))  # fmt: skip
        elif name not in answers[question].dropna().index:
            add(row, "id", "a review names a response that was kept", name,
                f"a response with an answer to {question}", "scan the study again")  # fmt: skip
        if publish not in DECISIONS:
            add(row, "publish", "an answer is published or not", publish, "yes, no or nothing",
                "write yes where it may go out")  # fmt: skip
        if publish == "yes" and (not text.strip() or len(text) > LONGEST or strange(text)):
            add(row, "text", "a text that is published can be read", strange(text) or f"{text!r}",
                f"a text of {LONGEST} characters at most, without hidden ones",
                "edit the text")  # fmt: skip
        if twice.loc[row]:
            add(row, "id", "an answer is reviewed once", f"{question}, {name}", "one row",
                "remove one of them")  # fmt: skip
    return problems
