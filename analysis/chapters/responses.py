"""Response flow: what was received, what was kept, the base of every question, who left where."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import expression
from analysis.chapters import compare
from analysis.chapters.data import Data, label, measured, names
from analysis.definition import Headline
from analysis.questionnaire import Question
from analysis.stats.design import Sample, kish
from analysis.stats.dropout import along, with_and_without
from analysis.stats.shares import Shares, total

CHAPTER = "responses"
# Those received, told apart by whether they went to the end.
RECEIVED, COMPLETION, KINDS = "received", "completion", ["complete", "partial"]


def estimates(data: Data) -> list[pd.DataFrame]:
    """Response flow, base of each question, where people left, and who they are.

    Tables `response_flow` and `left_before` (base: responses received), `question_base` and
    `item_nonresponse` (base: people asked, of those kept); profile questions by completion.
    """
    if "responses" not in data.tables:
        return []
    return [flow(data), question_bases(data), *along_the_way(data), *by_completion(data)]


def tests(data: Data) -> list[dict]:
    """Whether those who left differ from those who stayed, on what is known of both."""
    if "responses" not in data.tables:
        return []
    frame, seed = received(data), data.study.definition.seed
    done = completion(frame)
    return [
        named_by_completion(question) | vars(outcome)
        for question in known(data)
        for outcome in compare.of_counts(
            compare.counts(done, data.study.single(question, frame)), seed
        )
    ]


def measures(data: Data) -> list[pd.DataFrame]:
    """How far those who left are from those who stayed; headlines with partial responses less
    those without them."""
    if "responses" not in data.tables:
        return []
    frame, rows = received(data), []
    done = completion(frame)
    groups = {kind: done == kind for kind in KINDS}
    for question in known(data):
        answers = data.study.single(question, frame).dropna()
        given = pd.DataFrame({str(a): answers == a for a in answers.cat.categories})
        rows.append(compare.apart(None, named_by_completion(question), given, groups))
    return rows + [with_partials(data, item) for item in data.study.definition.headlines]


def with_partials(data: Data, headline: Headline) -> pd.DataFrame:
    """One headline share with the partial responses kept, less that without them."""
    question, population = headline.variable, data.study.population_of(headline.variable)
    given = data.given(question, population)
    members = data.sets(question).get(headline.category, [headline.category])
    figures = given[members].any(axis=1).to_frame(headline.category)
    complete = data.population(population).loc[given.index, "complete"].astype(bool)
    named = names(data, CHAPTER, question, population)
    named |= {"category": headline.category, "base_kind": "respondents", "base_n": len(given)}
    if data.sample is not None and not complete.all():
        found = with_partials_designed(data.sample, figures, complete)
        return measured(named, "partials_difference", found, "linearised")
    row = with_and_without(figures, complete).iloc[0]
    found = row["difference"], row["difference_low"], row["difference_high"]
    return measured(named, "partials_difference", found, "newcombe")


def with_partials_designed(
    sample: Sample, figures: pd.DataFrame, complete: pd.Series
) -> tuple[float, float, float]:
    """As `with_and_without` of one figure, under a survey design: the difference of the partial
    and the complete, times the weighted part of the partial, held as it is."""
    partial, weight = ~complete.to_numpy(), sample.weigh(figures.index)
    part = weight[partial].sum() / weight.sum()
    value, low, high, _ = compare.difference(sample, figures, partial)
    return part * value[0], part * low[0], part * high[0]


def received(data: Data) -> pd.DataFrame:
    """Answers of every response received."""
    kept, dropped = data.tables["survey"], data.tables["dropped"]
    return pd.concat([kept, dropped], ignore_index=True) if len(dropped) else kept


def completion(frame: pd.DataFrame) -> pd.Series:
    """Whether each response is complete or partial."""
    complete = frame["complete"].fillna(False).to_numpy(dtype=bool)
    kinds = pd.Categorical(np.where(complete, *KINDS), KINDS)
    return pd.Series(kinds, frame.index, name=COMPLETION)


def known(data: Data) -> list[str]:
    """Profile questions with one answer, which come first: known of many who left."""
    return [
        name
        for name in data.study.roles.profile
        if not data.answers(name, "all") and not data.study.question(name).measured
    ]


def named_by_completion(question: str) -> dict[str, str]:
    return {
        "chapter": CHAPTER,
        "table": f"{question}_by_{COMPLETION}",
        "population": RECEIVED,
        "variable": question,
        "by": COMPLETION,
    }


def by_completion(data: Data) -> list[pd.DataFrame]:
    """Shares of what is known of everyone, among complete and among partial responses."""
    frame = received(data)
    done = completion(frame)
    return [
        label(
            Shares().single(data.study.single(question, frame)[done == kind]),
            CHAPTER, question, RECEIVED, COMPLETION, kind,
        )
        for question in known(data)
        for kind in KINDS
        if (done == kind).any()
    ]  # fmt: skip


def along_the_way(data: Data) -> list[pd.DataFrame]:
    """How many left before each question, and how many passed over it."""
    frame = received(data)
    asked = {question.name: question for question in asked_in_order(data)}
    # Whoever went to the end passed over what has no answer, and left nowhere.
    end = {"": completion(frame) == KINDS[0]}
    answered = {n: frame[q.columns].notna().any(axis=1) for n, q in asked.items()}
    sent = {n: sent_to(q, frame) for n, q in asked.items()}
    everyone = {"": pd.Series(True, frame.index)}
    found = along(pd.DataFrame(answered | end), pd.DataFrame(sent | everyone)).iloc[:-1]
    tables = []
    for variable, count, base in (
        ("left_before", found["left_here"], pd.Series(len(frame), found.index)),
        ("item_nonresponse", found["item_non_response"], found["asked"]),
    ):
        rows = [
            total(name, int(n), int(of), "respondents")
            for name, n, of in zip(found["question"], count, base, strict=True)
        ]
        tables.append(label(pd.concat(rows), CHAPTER, variable, RECEIVED))
    return tables


def asked_in_order(data: Data) -> list[Question]:
    """Questions that people are asked; themes are coded after fieldwork, asked of nobody."""
    coded = (data.study.roles.comment_theme, data.study.roles.comment_theme_second)
    return [question for question in data.study.questionnaire or () if question.name not in coded]


def sent_to(question: Question, frame: pd.DataFrame) -> pd.Series:
    """Whom the routing asks a question of."""
    if not question.relevant:
        return pd.Series(True, index=frame.index)
    return expression.evaluate(expression.parse(question.relevant), frame)


def flow(data: Data) -> pd.DataFrame:
    received = data.tables["responses"]
    complete, kept = received["complete"].astype(bool), received["retained"].astype(bool)
    steps = {
        "responses_any": len(received),
        "responses_complete": complete.sum(),
        "responses_partial": (~complete).sum(),
        "partial_retained": (~complete & kept).sum(),
        "partial_dropped": (~complete & ~kept).sum(),
        "retained": kept.sum(),
    }
    rows = [total(step, int(n), len(received), "respondents") for step, n in steps.items()]
    return label(pd.concat(rows), CHAPTER, "response_flow", "all")


def question_bases(data: Data) -> pd.DataFrame:
    """One row a question: how many answered, of how many the routing asked."""
    frame = data.tables["survey"]
    rows = []
    for question in asked_in_order(data):
        answered = frame[question.columns].notna().any(axis=1)
        asked = sent_to(question, frame)
        rows.append(total(question.name, int(answered.sum()), int(asked.sum()), "respondents"))
    return label(pd.concat(rows), CHAPTER, "question_base", "all")


def answered(data: Data, chapter: str, question: str) -> pd.DataFrame:
    """One row: how many gave an open answer."""
    population = data.study.population_of(question)
    count = int(data.population(population)[question].notna().sum())
    row = total("base", count, count, "respondents")
    return label(row, chapter, data.study.variable_of(question), population)


def design_facts(data: Data) -> list[tuple[str, str, str]]:
    """What the weights are, what they cost, and how raking went.

    design_effect is that of the weights alone (Kish 1965): people kept over effective_n.
    """
    design, people = data.study.definition.design, len(data.tables["survey"])
    weights = "raked" if design.raking else "column" if design.weights else "none"
    found: dict[str, object] = {"weights": weights}
    if data.sample is not None:
        effective = kish(data.sample.weights)
        found |= {"effective_n": effective, "design_effect": people / effective}
    if "weighting" in data.tables:
        row = data.tables["weighting"].iloc[0]
        found |= {f"raking_{name}": value for name, value in row.items()}
    return [("design", name, told(value)) for name, value in found.items()]


def told(value: object) -> str:
    """A value without the last bits of a number, which differ between processors."""
    return f"{round(float(value), 10):.12g}" if isinstance(value, float) else str(value)


def facts(data: Data) -> pd.DataFrame:
    """What is no share: first and last day of answers, and the rule that keeps a partial answer.

    Returns columns variable, category, value (text, dates as ISO).
    """
    rows: list[tuple[str, str, str]] = []
    if "responses" in data.tables:
        survey = data.study.definition.sources.survey
        dates = [
            name
            for name, column in (survey.columns if survey else {}).items()
            if column.type == "date"
        ]
        for name in dates[:1]:
            days = data.tables["survey"][name]
            rows += [
                ("fieldwork", "fieldwork_start", days.min().date().isoformat()),
                ("fieldwork", "fieldwork_end", days.max().date().isoformat()),
            ]
        kept = data.study.definition.retention.min_answered
        rows.append(("response_flow", "min_questions_answered", str(kept)))
        rows += design_facts(data)
    return pd.DataFrame(rows, columns=["variable", "category", "value"])
