"""Columns of an export to questions: type, answers, boxes of one question, what is set aside.

Everything here is a guess from headers and cells. What is not sure carries a key of texts.yml
(`to_decide`), which is written beside the question for the person who knows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from analysis.intake.layouts.layout import Layout
from analysis.intake.layouts.words import TICKS, plain
from analysis.intake.values import BOOLEANS
from analysis.start.delivered import (
    GROUP_MARKS,
    SPACED_FORMS,
    SURE_FORMS,
    Column,
    Delivery,
    Part,
    is_consent,
    is_free,
    is_private,
    named_as,
    parts,
)
from analysis.start.words import bands_of, has_word, is_one_of, scale_of, stem, words

# An answer is expected to come again; a text, not.
MOST_ANSWERS = 40
MOST_BEFORE_OTHERS = 15
LONGEST_ANSWER = 200
SURE_REPEATED, LIKELY_REPEATED = 0.85, 0.6
HIGHEST_MARK = 10
MOST_BANDS = 15
# Codes of answers in a column of numbers: more are an amount.
MOST_CODES = 8
NUMBERED = re.compile(r"(\D*[^\W\d])_?\d+")
BAND = re.compile(r"[<>≤≥] ?\d+|\d+ ?(?:[-–—] ?\d+|\+)")
BLANKS = {"n/a", "", "-"}
Note = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Answer:
    """An answer: its label, the texts of the file that mean it, and where boxes are, its header."""

    label: str
    said: tuple[str, ...]
    header: str = ""
    code: str = ""
    note: Note | None = None


@dataclass(frozen=True)
class Item:
    """A question guessed from one column, or from one column an answer (then `header` is empty).

    base: what its name is made of. notes: what is left to decide. within: the question of a grid
    it stands in. mark: what parts the answers of one cell.
    """

    kind: str
    label: str
    base: str
    header: str = ""
    answers: tuple[Answer, ...] = ()
    notes: tuple[Note, ...] = ()
    within: str = ""
    mark: str = ""
    battery: str = ""
    readings: tuple[str, ...] = ()

    @property
    def boxes(self) -> bool:
        return not self.header


@dataclass(frozen=True)
class Aside:
    """A column that is not read: its header and the reason, a key of texts.yml."""

    header: str
    reason: str


@dataclass(frozen=True)
class Guessed:
    """What the columns of an export are taken for. own: header by id, date or complete."""

    items: list[Item]
    asides: list[Aside]
    own: dict[str, str] = field(default_factory=dict)


def guess(delivery: Delivery) -> Guessed:
    """Questions, columns set aside, and the columns that describe the response itself."""
    layout = delivery.layout
    asked = [column for column in delivery.columns if not (layout and _is_own(column, layout))]
    own = _own(delivery, asked)
    asked = [column for column in asked if column.header not in own.values()]
    asides = [Aside(column.header, reason) for column in asked if (reason := _reason(column))]
    skipped = {aside.header for aside in asides if aside.reason != "empty"}
    families = _families([c for c in asked if c.header not in skipped], layout)
    boxed = {column.header for family, _ in families for column in family}
    asides = [aside for aside in asides if aside.header not in boxed]
    boxes = {family[0].header: _boxes(family, read, layout) for family, read in families}
    rest = [column for column in asked if column.header not in boxed]
    twice = _said_twice(rest, list(boxes.values()))
    asides += [Aside(header, "twice") for header in twice if layout is None]
    gone = {*boxed, *twice, *(aside.header for aside in asides)}
    items = _in_order(asked, boxes, gone, layout)
    return Guessed(_batteries(items, layout), asides, own)


def _in_order(
    asked: list[Column], boxes: dict[str, Item], gone: set[str], layout: Layout | None
) -> list[Item]:
    """Questions in the order of their first column."""
    items = []
    for column in asked:
        if column.header in boxes:
            items.append(boxes[column.header])
        elif column.header not in gone:
            items.append(_single(column, layout))
    return items


# --- What is no question


def _is_own(column: Column, layout: Layout) -> bool:
    """Whether the tool adds a column by itself. A group before it makes it a question."""
    said = column.readings[:1] if layout.name in GROUP_MARKS else column.readings
    asked = column.wording.rstrip().endswith("?")
    return not asked and any(map(layout.own.has, said))


def _own(delivery: Delivery, asked: list[Column]) -> dict[str, str]:
    """Headers of the identifier, day, weight and end of a response, beyond the tool's own."""
    found: dict[str, str] = {}
    for column in asked:
        whole = len(column.cells) == delivery.rows
        if named_as(column, "id") and whole and len(column.counts) == delivery.rows:
            found.setdefault("response_id", column.header)
        elif named_as(column, "date") and whole and column.is_date:
            found.setdefault("started_on", column.header)
        elif named_as(column, "weight") and column.is_number and len(column.counts) > 1:
            found.setdefault("weight", column.header)
        elif named_as(column, "complete") and set(map(plain, column.counts)) <= set(BOOLEANS):
            found.setdefault("complete", column.header)
    return found


def _reason(column: Column) -> str:
    """Why a column is set aside; nothing where it is a question."""
    if not len(column.cells):
        return "empty"
    if is_private(column):
        return "private"
    if named_as(column, "tool"):
        return "tool"
    return "consent" if is_consent(column) else ""


# --- Boxes: one column an answer


def _families(
    columns: list[Column], layout: Layout | None
) -> list[tuple[list[Column], list[Part]]]:
    """Runs of columns that are the boxes of one question, each with its parts."""
    found, at = [], 0
    read = {column.header: parts(column.readings, layout) for column in columns}
    while at < len(columns):
        family = max(
            (_run(columns, at, part, read, layout) for part in read[columns[at].header]),
            key=lambda run: (len(run), len(run[0][1].question) if run else 0),
            default=[],
        )
        if len(family) > 1 and any(len(column.cells) for column, _ in family):
            found.append(([column for column, _ in family], [part for _, part in family]))
            at += len(family)
        else:
            at += 1
    return found


def _run(
    columns: list[Column],
    at: int,
    part: Part,
    read: dict[str, list[Part]],
    layout: Layout | None,
) -> list[tuple[Column, Part]]:
    """Columns from a place on that are boxes of the question of its part.

    An underscore within a name proves nothing: then the same people must have been asked.
    """
    run: list[tuple[Column, Part]] = []
    seen: set[str] = set()
    for column in columns[at:]:
        same = next((other for other in read[column.header] if other.key == part.key), None)
        if same is None or same.answer in seen or not _is_box(column, same, layout):
            break
        sure = part.form in SURE_FORMS or (part.last and same.last)
        if not sure and run and column.filled != run[0][0].filled:
            break
        run.append((column, same))
        seen.add(same.answer)
    return run


def _is_box(column: Column, part: Part, layout: Layout | None) -> bool:
    """Whether cells are ticks, or the very answer that is ticked, or nothing."""
    said = {plain(text) for text in column.counts} - BLANKS - set(layout.blanks if layout else ())
    if said <= {*BOOLEANS, *TICKS} or said == {plain(part.answer)}:
        return True
    return bool(layout and layout.free_other and is_one_of(part.answer, words()["other"]))


def _said_twice(asked: list[Column], boxes: list[Item]) -> list[str]:
    """Headers of answers in one cell where the same answers have their boxes."""
    questions = {plain(name) for item in boxes for name in (item.base, item.label)}
    return [c.header for c in asked if any(plain(text) in questions for text in c.readings)]


def _shared(family: list[Column], layout: Layout | None) -> dict[str, list[Part]]:
    """Questions that every column of a family may be a box of, each with its parts."""
    read = [
        {part.key: part for part in reversed(parts(column.readings, layout))} for column in family
    ]
    keys = [key for key in read[0] if all(key in other for other in read)]
    return {key[1]: [each[key] for each in read] for key in reversed(keys)}


def _boxes(family: list[Column], own: list[Part], layout: Layout | None) -> Item:
    """The several-answer question that a family of columns is."""
    shared = _shared(family, layout) or {own[0].question: own}

    def longest(question: str) -> tuple[int, int]:
        """Groups before a question, and pieces of its name, make its answers longer."""
        return sum(len(part.answer) for part in shared[question]), len(question)

    sentences = [question for question in shared if " " in question]
    coded = [
        q for q in shared if not any(" " in part.answer for part in shared[q]) and " " not in q
    ]
    label = min(sentences or shared, key=longest)
    base = min(coded, key=longest, default=label)
    answers = []
    for column, told, named in zip(family, shared[label], shared[base], strict=True):
        note: Note | None = None
        if _is_code(told.answer):
            note = ("label_code", {"value": told.answer})
        code = named.answer if named.answer != told.answer else ""
        answers.append(Answer(told.answer, (told.answer,), column.header, code, note))
    return Item("select_multiple", label, base, answers=tuple(answers))


def _is_code(text: str) -> bool:
    """Whether a text says nothing to a reader: SQ001, AO02, 3; a band such as 18-24 does."""
    return (
        not BAND.fullmatch(text)
        and not any(letter.islower() for letter in text)
        and any(c.isdigit() for c in text)
    )


# --- One column a question


def _single(column: Column, layout: Layout | None) -> Item:
    """What one column asks, by what its cells are."""
    within, label = _grid(column, layout)
    names = [text for text in (column.wording, *column.readings) if " " not in text]
    base = names[0] if names else label
    item = Item("text", label, base, column.header, within=within, readings=column.readings)
    if column.is_number and not has_word(column.wording, words()["code"]):
        return _number(item, column)
    if column.is_date and not column.listed:
        return replace(item, kind="date")
    cells = _without_blanks(column, layout)
    if several := _several(cells, layout):
        mark, answers = several
        return replace(item, kind="select_multiple", answers=answers, mark=mark)
    return _closed(item, column, cells)


def _grid(column: Column, layout: Layout | None) -> tuple[str, str]:
    """The question of a grid and its row where a header says both, else the question."""
    for part in parts([column.wording], layout):
        if part.form in ("{q} [{a}]", "{q}[{a}]"):
            return part.question, part.answer
    return "", column.wording


def _without_blanks(column: Column, layout: Layout | None) -> pd.Series:
    blanks = {*BLANKS, *(layout.blanks if layout else ())}
    kept = [text for text in column.counts if plain(text) not in blanks]
    return column.cells[column.cells.isin(kept)]


def _number(item: Item, column: Column) -> Item:
    """Whole numbers that are marks are a scale, few that are not counted are codes."""
    values = column.numbers
    if column.listed or not bool((values % 1 == 0).all()):
        return replace(item, kind="decimal")
    low, high = int(values.min()), int(values.max())
    said, distinct = f"{column.wording} {item.within}", sorted({int(value) for value in values})
    marks = low >= 0 and high <= HIGHEST_MARK and len(distinct) > 1
    if marks and (item.within or has_word(said, words()["mark"])):
        return _marked(item, low, high)
    few = 1 < len(distinct) <= MOST_CODES and len(values) >= 5 * len(distinct)
    if few and not has_word(said, words()["count"]):
        return replace(item, kind="select_one", answers=_answers(map(str, distinct)))
    unsure = marks and not has_word(said, words()["count"])
    return replace(item, kind="integer", notes=(("type_number", {}),) if unsure else ())


def _marked(item: Item, low: int, high: int) -> Item:
    """A mark on a scale, from the lowest one there may be to the highest."""
    first = 0 if low == 0 else 1
    last = next(top for top in (5, 7, HIGHEST_MARK) if high <= top)
    marks = [str(mark) for mark in range(first, last + 1)]
    answers = tuple(Answer(mark, (mark,), code=mark) for mark in marks)
    note: Note = ("type_scale", {"low": marks[0], "high": marks[-1]})
    return replace(item, kind="select_one", answers=answers, notes=(note,))


def _closed(item: Item, column: Column, cells: pd.Series) -> Item:
    """One answer of a list, where texts come again; else free text."""
    counts = Counter(dict(Counter(cells).most_common()))
    if column.listed:
        outside = words()["outside"]
        known = [t for t in column.listed if t in column.counts or not is_one_of(t, outside)]
        return replace(item, kind="select_one", answers=tuple(Answer(t, (t,)) for t in known))
    if _is_known_list(list(counts)):
        return replace(item, kind="select_one", answers=_answers(list(counts)))
    if not counts or max(map(len, counts)) > LONGEST_ANSWER or is_free(column):
        return item
    return _by_repetition(item, counts)


def _by_repetition(item: Item, counts: Counter[str]) -> Item:
    """A list where most texts come again; those given once are then « other », or a few more."""
    often = [text for text, count in counts.items() if count > 1]
    once = [text for text in counts if text not in often]
    repeated = sum(counts[text] for text in often) / counts.total()
    if len(counts) == 1 and repeated:
        return replace(item, kind="select_one", answers=_answers(often))
    if len(often) < 2 or len(often) > MOST_ANSWERS or repeated < LIKELY_REPEATED:
        unsure = repeated >= LIKELY_REPEATED / 2 and len(often) > 1
        return replace(item, notes=(("type_text", {}),) if unsure else ())
    if not _are_few(once, often) and (repeated < SURE_REPEATED or len(often) > MOST_BEFORE_OTHERS):
        return replace(item, notes=(("type_text", {}),))
    return replace(item, kind="select_one", answers=_listed(counts))


def _are_few(once: list[str], often: list[str]) -> bool:
    """Whether answers given once are so few that the list may have them."""
    return len(once) <= max(2, len(often) // 3)


def _listed(counts: Counter[str]) -> tuple[Answer, ...]:
    """Answers of a list; many that were given once are what people wrote under « other »."""
    often = [text for text, count in counts.items() if count > 1]
    once = [text for text in counts if text not in often]
    return _answers(list(counts)) if _are_few(once, often) else _with_others(often, once)


def _is_known_list(labels: Sequence[str]) -> bool:
    """Whether answers are a list by themselves: a scale, bands, yes and no."""
    if scale_of(labels) or (len(labels) <= MOST_BANDS and bands_of(labels)):
        return True
    both = (*words()["yes"], *words()["no"], *words()["outside"])
    return 0 < len(labels) <= 3 and all(is_one_of(label, both) for label in labels)


def _with_others(often: list[str], once: list[str]) -> tuple[Answer, ...]:
    """Answers, with those given once read as « other »: a box for them let people write."""
    answers = list(_answers(often))
    other = next((a for a in answers if is_one_of(a.label, words()["other"])), None)
    if other is None:
        other = Answer("", (), code="other")
    rest = [answer for answer in answers if answer is not other]
    return (*rest, replace(other, said=(*other.said, *once), note=("rare", {}), code="other"))


def _answers(labels: Iterable[str]) -> tuple[Answer, ...]:
    """Answers in their order where there is one, « other » and « none » last."""
    said = list(labels)
    scale = scale_of(said)
    if scale:
        said = [said[at] for at in (*scale.order, *scale.outside)]
    elif order := bands_of(said):
        said = [said[at] for at in order]
    else:
        last = (*words()["none"], *words()["outside"], *words()["no"])
        said.sort(key=lambda t: 2 * is_one_of(t, words()["other"]) + is_one_of(t, last))
    return tuple(
        Answer(text, (text,), note=("label_code", {"value": text}) if _is_code(text) else None)
        for text in said
    )


# --- Several answers in one cell


def _several(cells: pd.Series, layout: Layout | None) -> tuple[str, tuple[Answer, ...]] | None:
    """The mark between answers and the answers, where cells hold several of them."""
    counts = Counter(cells)
    marks = [";", "|", "\n", ","] if layout is None else list(layout.marks)
    for mark in marks:
        holding = sum(count for text, count in counts.items() if mark in text.strip(f"{mark} "))
        if holding < max(2, 0.05 * len(cells)):
            continue
        pieces, together = _pieces(counts, mark)
        if together < 2:
            continue
        often = [text for text, count in pieces.items() if count > 1]
        told = sum(pieces[text] for text in often)
        if not 2 <= len(often) <= MOST_ANSWERS or max(map(len, pieces)) > LONGEST_ANSWER:
            continue
        if told < SURE_REPEATED * sum(pieces.values()):
            continue
        if mark == " " and not all(re.fullmatch(r"[a-z0-9_.-]+", piece) for piece in pieces):
            continue  # only codes are parted by spaces
        if len(often) < len(counts) or mark not in ", ":
            return mark, _listed(pieces)
    return None


def _pieces(counts: Counter[str], mark: str) -> tuple[Counter[str], int]:
    """Answers of all cells, and how many cells hold more than one.

    Where most begin with a capital, a piece that does not goes on with the one before it: « En
    ligne, à distance » is one answer.
    """
    apart = rf"{re.escape(mark)}(?![^(]*\))"  # but within brackets
    cut = [([p.strip() for p in re.split(apart, text) if p.strip()], n)
           for text, n in counts.items()]  # fmt: skip
    every = [piece for pieces, _ in cut for piece in pieces]
    capitals = sum(piece[0].isupper() or not piece[0].isalpha() for piece in every)
    joined: Counter[str] = Counter()
    together = 0
    for pieces, count in cut:
        whole: list[str] = []
        for piece in pieces:
            if whole and mark == "," and piece[0].islower() and capitals > len(every) / 2:
                whole[-1] = f"{whole[-1]}{mark} {piece}"
            else:
                whole.append(piece)
        joined.update(dict.fromkeys(whole, count))
        together += count * (len(set(whole)) > 1)
    return _apart(joined, mark), together


def _apart(joined: Counter[str], mark: str) -> Counter[str]:
    """The same, where « Cinéma, théâtre » given once is an answer and what someone wrote."""
    made: Counter[str] = Counter()
    for text, count in joined.items():
        first, _, rest = text.partition(f"{mark} ")
        if count == 1 and rest and joined[first] > 1:
            made.update({first: 1, rest: 1})
        else:
            made[text] += count
    return made


# --- Batteries: columns side by side on one scale


def _batteries(items: list[Item], layout: Layout | None) -> list[Item]:
    """The same questions, those of a battery with one list of answers and the name of it."""
    made: list[Item] = []
    at = 0
    while at < len(items):
        run, labels = _on_one_scale(items, at)
        if len(run) < 2:
            run, labels = _in_one_grid(items, at)
        if len(run) < 2:
            run, labels = _on_one_list(items, at)
        if len(run) > 1:
            marked = run[0].notes and run[0].notes[0][0] == "type_scale"
            answers = max((i.answers for i in run), key=len) if marked else _answers(labels)
            notes = run[0].notes if marked else ()
            made += [replace(item, notes=notes) for item in _in_battery(run, answers, layout)]
        else:
            run = items[at : at + 1]
            made += run
        at += len(run)
    return made


def _in_battery(run: list[Item], answers: tuple[Answer, ...], layout: Layout | None) -> list[Item]:
    """Items of one battery, under the question that their headers share, if they do."""
    read = [{part.key: part for part in reversed(parts(i.readings, layout))} for i in run]
    keys = [key for key in read[0] if _tells(key) and all(key in other for other in read)]
    made = [replace(i, kind="select_one", answers=answers, battery=run[0].header) for i in run]
    if run[0].within or not keys:
        return made
    key = max(keys, key=lambda key: len(key[1]))
    return [
        replace(item, within=key[1], label=each[key].answer)
        for item, each in zip(made, read, strict=True)
    ]


def _on_one_scale(items: list[Item], at: int) -> tuple[list[Item], list[str]]:
    """Questions from a place on whose answers all stand on one scale, and these answers."""
    run: list[Item] = []
    best: tuple[list[Item], list[str]] = ([], [])
    union: dict[str, str] = {}
    shared: set[tuple[str, str]] = set()
    for item in items[at:]:
        labels = {stem(answer.label): answer.label for answer in item.answers}
        if item.kind != "select_one" or (run and item.within != run[0].within):
            break
        if has_word(item.label, words()["overall"]) and not item.within:
            break  # what is said of the whole is no item beside its parts
        keys = _questions(item)
        if len(run) > 1 and shared and not shared & keys:
            break  # another battery on the same scale begins
        shared = shared & keys if run else keys
        union = labels | union
        if len(union) > 2 and scale_of(list(union.values())) is None:
            break
        if not all(_on_a_scale(label) for label in labels.values()):
            break
        run.append(item)
        if scale_of(list(union.values())):
            best = (list(run), list(union.values()))
    return best


def _on_a_scale(label: str) -> bool:
    levels = [*words()["outside"]]
    levels += [w for family in words()["scales"].values() for _, *said in family for w in said]
    return is_one_of(label, levels)


def _in_one_grid(items: list[Item], at: int) -> tuple[list[Item], list[str]]:
    """Questions with one answer from a place on, in the rows of one grid, and their answers."""
    first = items[at]
    run: list[Item] = []
    for item in items[at:]:
        if item.kind != "select_one" or not first.within or item.within != first.within:
            break
        run.append(item)
    return run, _labels(run)


def _on_one_list(items: list[Item], at: int) -> tuple[list[Item], list[str]]:
    """Questions numbered alike (`q1`, `q2`…) whose answers are codes that are numbers."""
    first = items[at]
    run: list[Item] = []
    for item in items[at:]:
        coded = all(answer.label.isdigit() for answer in item.answers)
        if item.kind != "select_one" or not coded or _series(item) != _series(first):
            break
        run.append(item)
    labels = _labels(run)
    return (run, labels) if _series(first) and len(labels) > 2 else ([], [])


def _series(item: Item) -> str:
    """The name of a numbered question without its number."""
    match = NUMBERED.fullmatch(item.base)
    return match[1] if match else ""


def _labels(run: list[Item]) -> list[str]:
    """Labels of all answers, numbers as numbers."""
    said = {answer.label for item in run for answer in item.answers}
    return sorted(said, key=lambda label: (int(label) if label.isdigit() else -1, label))


def _questions(item: Item) -> set[tuple[str, str]]:
    """Questions of which a header may say an item."""
    return {part.key for part in parts(item.readings, None) if _tells(part.key)}


def _tells(key: tuple[str, str]) -> bool:
    """Whether the first part of a header is words to read, not a piece of a name."""
    form, question = key
    return " " in question or form in SPACED_FORMS
