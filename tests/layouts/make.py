"""Samples of the export of each tool, from people.csv: `python tests/layouts/make.py`.

Each is written in the layout that the tool documents (the pages are named in
analysis/intake/layouts/). Nobody answered anything: people, dates and remarks are invented.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat

from analysis.questionnaire import Question, read_questionnaire

HERE = Path(__file__).parent
FORM = read_questionnaire(HERE / "questionnaire.csv")
SINGLE = ("status", "skill_tool", "skill_law", "satisfaction")
ITEMS = {"skill_tool": 1, "skill_law": 2}

Person = dict[str, str]


def people() -> list[Person]:
    """One dictionary a person: codes by question, several ones parted by a space."""
    with (HERE / "people.csv").open(encoding="utf-8", newline="") as handle:
        made = list(csv.DictReader(handle))
    for number, person in enumerate(made, start=1):
        asked = "student" if person["status"] == "student" else "pro"
        person[f"motivation_{asked}"] = person.pop("motivation")
        person["number"], person["day"] = str(number), f"2026-02-{number + 9:02}"
    return made


PEOPLE = people()


def label(question: str, code: str, lang: str) -> str:
    return next(c.labels[lang] for c in FORM[question].choices if c.name == code)


def labels(person: Person, question: str, lang: str) -> list[str]:
    """Wordings of a person's answers, in the order of the questionnaire."""
    given = person.get(question, "").split()
    return [c.labels[lang] for c in FORM[question].choices if c.name in given]


def place(person: Person, question: str) -> str:
    """The place of a single answer in its list, from 1."""
    code = person.get(question, "")
    return str(FORM[question].answers.index(code) + 1) if code else ""


def said(person: Person, question: Question, lang: str, mark: str) -> str:
    """What a person answered, in words."""
    if question.choices:
        return mark.join(labels(person, question.name, lang))
    return person.get(question.name, "")


def ticks(person: Person, question: Question, yes: str, no: str, unseen: str = "") -> list[str]:
    """Boxes of a several-answer question; all `unseen` where nothing is ticked."""
    given = person.get(question.name, "").split()
    return (
        [yes if a in given else no for a in question.answers]
        if given
        else [unseen] * len(question.answers)
    )


def write_csv(name: str, rows: list[list[str]], mark: str = ",", quoted: bool = False) -> None:
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    with (HERE / name).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, delimiter=mark, quoting=quoting).writerows(rows)


def write_xlsx(name: str, title: str, rows: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    # A date of its own would make each run another file.
    book.properties.created = book.properties.modified = dt.datetime(2026, 3, 1)
    book.active.title = title
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    book.save(HERE / name)


# --- One a tool


def plain() -> None:
    header = ["response_id", "started_on", "complete", *(q.name for q in FORM)]
    rows = [
        [f"R{p['number']}", p["day"], "1", *(p.get(q.name, "").replace(" ", ";")
         if q.several else p.get(q.name, "") for q in FORM)]
        for p in PEOPLE
    ]  # fmt: skip
    write_csv("plain.csv", [header, *rows])


def kobo() -> None:
    """XML names, groups with "/", several answers in one column and in boxes."""

    def path(q: Question) -> str:
        return "/".join([*q.groups, q.name])

    def columns(q: Question) -> list[str]:
        return [path(q), *(f"{path(q)}/{a}" for a in q.answers)] if q.several else [path(q)]

    def cells(p: Person, q: Question) -> list[str]:
        return [p.get(q.name, ""), *(ticks(p, q, "1", "0") if q.several else [])]

    own = ["_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status",
           "_submitted_by", "__version__", "_tags", "_index"]  # fmt: skip
    rows = [["start", "end", *(c for q in FORM for c in columns(q)), *own]]
    for p in PEOPLE:
        uuid = f"00000000-0000-4000-8000-{int(p['number']):012}"
        answers = [c for q in FORM for c in cells(p, q)]
        last = [f"9{p['number']:0>3}", uuid, f"{p['day']}T09:12:00", "", "", "submitted_via_web",
                "", "vAbc123", "", p["number"]]  # fmt: skip
        times = [f"{p['day']}T09:00:00.000+01:00", f"{p['day']}T09:10:00.000+01:00"]
        rows.append([*times, *answers, *last])
    write_csv("kobo.csv", rows, mark=";", quoted=True)


def kobo_labels() -> None:
    """Labels, groups in them, several answers in boxes; a workbook."""

    def path(q: Question) -> str:
        return "/".join([*(FORM.groups[g].labels["fr"] for g in q.groups), q.labels["fr"]])

    header = ["start", "end"]
    for q in FORM:
        wordings = [c.labels["fr"] for c in q.choices]
        header += [f"{path(q)}/{w}" for w in wordings] if q.several else [path(q)]
    rows: list[list[object]] = [[*header, "_id", "_uuid", "_submission_time", "_index"]]
    for p in PEOPLE:
        row: list[object] = [f"{p['day']}T09:00:00.000+01:00", f"{p['day']}T09:10:00.000+01:00"]
        for q in FORM:
            row += ticks(p, q, "1", "0") if q.several else [said(p, q, "fr", " ")]
        rows.append([*row, int(p["number"]), f"u-{p['number']}", f"{p['day']}T09:12:00", 1])
    write_xlsx("kobo_labels.xlsx", "Une étude inventée", rows)


def odk() -> None:
    """Groups with "-", several answers by spaces, split beside."""

    def path(q: Question) -> str:
        return "-".join([*q.groups, q.name])

    header = ["SubmissionDate", "start", "end"]
    for q in FORM:
        header += [path(q), *(f"{path(q)}/{a}" for a in (q.answers if q.several else []))]
    own = ["meta-instanceID", "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent",
           "AttachmentsExpected", "Status", "ReviewState", "DeviceID", "Edits",
           "FormVersion"]  # fmt: skip
    rows = [[*header, *own]]
    for p in PEOPLE:
        row = [f"{p['day']}T08:12:00.000Z", f"{p['day']}T09:00:00.000+01:00",
               f"{p['day']}T09:10:00.000+01:00"]  # fmt: skip
        for q in FORM:
            row += [p.get(q.name, ""), *(ticks(p, q, "1", "0", "0") if q.several else [])]
        key = f"uuid:00000000-0000-4000-8000-{int(p['number']):012}"
        rows.append([*row, key, key, "5", "App user", "0", "0", "", "", "", "0", "2026-01"])
    write_csv("odk.csv", rows)


LIME_OWN = ["id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp"]


def _lime_first(p: Person) -> list[str]:
    day = p["day"]
    return [p["number"], f"{day} 09:10:00", "3", "fr", "1234567", f"{day} 09:00:00",
            f"{day} 09:10:00"]  # fmt: skip


def limesurvey() -> None:
    """Question codes (letters and figures only), answer codes."""
    header = list(LIME_OWN)
    for q in FORM:
        code = q.name.replace("_", "")
        if q.several:
            last = len(q.answers)
            header += [
                f"{code}[{'other' if a == 'other' else f'SQ{at:03}'}]"
                for at, a in enumerate(q.answers[:last], start=1)
            ]
        else:
            header.append(f"skills[SQ{ITEMS[q.name]:03}]" if q.name in ITEMS else code)
    rows = [header]
    for p in PEOPLE:
        row = _lime_first(p)
        for q in FORM:
            if q.several:
                boxes = ticks(p, q, "Y", "")
                row += ["avec des amis" if a == "other" and b else b
                        for a, b in zip(q.answers, boxes, strict=True)]  # fmt: skip
            elif q.choices:
                at = place(p, q.name)
                row.append(f"AO{at:0>2}" if at else "")
            else:
                row.append(p.get(q.name, ""))
        rows.append(row)
    write_csv("limesurvey.csv", rows, quoted=True)


def limesurvey_full() -> None:
    """Full question texts, full answers, in French."""
    header = ["ID de la réponse", "Date de soumission", "Dernière page", "Langue de départ",
              "Tête de série", "Date de lancement", "Date de la dernière action"]  # fmt: skip
    battery = FORM.groups["skills"].labels["fr"]
    for q in FORM:
        wording = q.labels["fr"]
        if q.several:
            header += [f"{wording} [{c.labels['fr']}]" for c in q.choices]
        else:
            header.append(f"{battery} [{wording}]" if q.name in ITEMS else wording)
    rows = [header]
    for p in PEOPLE:
        row = _lime_first(p)
        for q in FORM:
            if q.several:
                boxes = ticks(p, q, "Oui", "Non", "N/A")
                row += [("" if b != "Oui" else "avec des amis") if a == "other" else b
                        for a, b in zip(q.answers, boxes, strict=True)]  # fmt: skip
            else:
                row.append(said(p, q, "fr", ""))
        rows.append(row)
    write_csv("limesurvey_full.csv", rows, quoted=True)


def google_forms() -> None:
    battery = FORM.groups["skills"].labels["fr"]
    wordings = {q.name: q.labels["fr"] for q in FORM}
    wordings |= {name: f"{battery} [{wordings[name]}]" for name in ITEMS}
    rows = [["Horodateur", *wordings.values()]]
    for p in PEOPLE:
        stamp = p["day"].replace("-", "/") + " 9:10:00 AM UTC+1"
        rows.append([stamp, *(said(p, q, "fr", ", ") for q in FORM)])
    write_csv("google_forms.csv", rows, quoted=True)


def microsoft_forms() -> None:
    """A workbook in English; the second of two questions with one wording carries a 2."""
    header, seen = [], set()
    for q in FORM:
        wording = q.labels["en"]
        header.append(f"{wording}2" if wording in seen else wording)
        seen.add(wording)
    rows: list[list[object]] = [["ID", "Start time", "Completion time", "Email", "Name", *header]]
    for p in PEOPLE:
        day = dt.datetime.fromisoformat(p["day"])
        row: list[object] = [int(p["number"]), day.replace(hour=9), day.replace(hour=10)]
        row += ["anonymous", ""]
        for q in FORM:
            text = said(p, q, "en", ";")
            if q.name == "trained_on" and text:
                row.append(f"{int(text[5:7])}/{int(text[8:])}/{text[:4]}")
            else:
                row.append(f"{text};" if q.several and text else text)
        rows.append(row)
    write_xlsx("microsoft_forms.xlsx", "Sheet1", rows)


def sphinx() -> None:
    """A row of names, then a row of wordings; several answers parted by ";"."""
    own = ["CLE", "DATE_SAISIE", "DATE_ENREG", "TEMPS_SAISIE", "ORIGINE_SAISIE", "LANG_SAISIE",
           "APPAREIL_SAISIE", "PROGRESSION", "DERNIERE_QUESTION_SAISIE"]  # fmt: skip
    rows: list[list[object]] = [
        [*(q.name.upper() for q in FORM), *own],
        [*(q.labels["fr"] for q in FORM), *own],
    ]
    for p in PEOPLE:
        answers = [said(p, q, "fr", " ; ") for q in FORM]
        day = "/".join(reversed(p["day"].split("-"))) + " 09:10"
        last = [f"K{p['number']}", day, day, "600", "Internet", "fr", "PC", "Terminé", "COMMENT"]
        rows.append([*answers, *last])
    write_xlsx("sphinx.xlsx", "Données", rows)


QUALTRICS_FIRST = {
    "StartDate": "Start Date", "EndDate": "End Date", "Status": "Response Type",
    "Progress": "Progress", "Duration (in seconds)": "Duration (in seconds)",
    "Finished": "Finished", "RecordedDate": "Recorded Date", "ResponseId": "Response ID",
    "DistributionChannel": "Distribution Channel", "UserLanguage": "User Language",
}  # fmt: skip


def _qualtrics(
    name: str, heads: list[tuple[str, str]], cells: Callable[[Person], list[str]], words: bool
) -> None:
    header = [*QUALTRICS_FIRST, *(code for code, _ in heads)]
    texts = [*QUALTRICS_FIRST.values(), *(text for _, text in heads)]
    ids = [f'{{"ImportId":"{code}"}}' for code in header]
    rows = [header, texts, ids]
    for p in PEOPLE:
        day = p["day"]
        first = [f"{day} 09:00:00", f"{day} 09:10:00", "IP Address" if words else "0", "100",
                 "600", "True" if words else "1", f"{day} 09:10:01", f"R_{p['number']:0>15}",
                 "anonymous", "EN"]  # fmt: skip
        rows.append([*first, *cells(p)])
    write_csv(name, rows)


def qualtrics() -> None:
    """Choice text in English, several answers in one cell parted by ","."""
    battery = FORM.groups["skills"].labels["en"]
    heads, numbers = [], {q.name: f"Q{at}" for at, q in enumerate(FORM, start=1)}
    for q in FORM:
        if q.name in ITEMS:
            heads.append((f"Q9_{ITEMS[q.name]}", f"{battery} - {q.labels['en']}"))
        elif q.name == "training_setting":
            heads.append((numbers[q.name], f"{q.labels['en']} - Selected Choice"))
            heads.append((f"{numbers[q.name]}_4_TEXT", f"{q.labels['en']} - Other - Text"))
        else:
            heads.append((numbers[q.name], q.labels["en"]))

    def cells(p: Person) -> list[str]:
        row = []
        for q in FORM:
            row.append(said(p, q, "en", ","))
            if q.name == "training_setting":
                row.append("with friends" if "other" in p["training_setting"] else "")
        return row

    _qualtrics("qualtrics.csv", heads, cells, words=True)


def qualtrics_numbers() -> None:
    """Export tags as in the questionnaire, numbers, several answers in boxes."""
    heads = []
    for q in FORM:
        if q.several:
            heads += [(f"{q.name}_{at}", f"{q.labels['en']} - {c.labels['en']}")
                      for at, c in enumerate(q.choices, start=1)]  # fmt: skip
        else:
            heads.append((q.name, q.labels["en"]))

    def cells(p: Person) -> list[str]:
        row = []
        for q in FORM:
            if q.several:
                row += ticks(p, q, "1", "")
            else:
                row.append(place(p, q.name) if q.choices else p.get(q.name, ""))
        return row

    _qualtrics("qualtrics_numbers.csv", heads, cells, words=False)


def spss() -> None:
    """Variable and value labels in French, 99 declared missing, boxes as 0 and 1."""
    data: dict[str, list] = {"response_id": [f"R{p['number']}" for p in PEOPLE]}
    data["started_on"] = [dt.date.fromisoformat(p["day"]) for p in PEOPLE]
    data["complete"] = [1.0] * len(PEOPLE)
    names, values, missing = {}, {}, {}
    for at, q in enumerate(FORM, start=1):
        variable, wording = f"Q{at}", q.labels["fr"]
        if q.several:
            boxes = [ticks(p, q, "1", "0") for p in PEOPLE]
            for number, c in enumerate(q.choices):
                name = f"{variable}_{number + 1}"
                data[name] = [float(row[number]) if row[number] else None for row in boxes]
                names[name] = f"{wording} - {c.labels['fr']}"
                values[name] = {1.0: "Oui", 0.0: "Non"}
            if wording == "Pourquoi vous former ?":
                data |= _renamed(data, names, values, q, variable)
            continue
        names[variable] = wording
        if q.choices:
            data[variable] = [float(place(p, q.name) or 99) for p in PEOPLE]
            values[variable] = {float(n): c.labels["fr"] for n, c in enumerate(q.choices, 1)}
            values[variable][99.0] = "Sans réponse"
            missing[variable] = [99]
        elif q.kind == "integer":
            data[variable] = [float(p[q.name]) if p[q.name] else None for p in PEOPLE]
        elif q.kind == "date":
            data[variable] = [dt.date.fromisoformat(p[q.name]) if p[q.name] else None
                              for p in PEOPLE]  # fmt: skip
        else:
            data[variable] = [p.get(q.name, "") for p in PEOPLE]
    pyreadstat.write_sav(
        pd.DataFrame(data), HERE / "spss.sav", column_labels=names,
        variable_value_labels=values, missing_ranges=missing,
    )  # fmt: skip


def _renamed(
    data: dict[str, list], names: dict, values: dict, question: Question, variable: str
) -> dict[str, list]:
    """The boxes of a question under its own name, as its wording is not its own."""
    made = {}
    for at, answer in enumerate(question.answers, start=1):
        old, new = f"{variable}_{at}", f"{question.name}_{answer}"
        made[new], names[new], values[new] = data.pop(old), names.pop(old), values.pop(old)
    return made


SAMPLES = (
    plain, kobo, kobo_labels, odk, limesurvey, limesurvey_full, google_forms, microsoft_forms,
    sphinx, qualtrics, qualtrics_numbers, spss,
)  # fmt: skip


if __name__ == "__main__":
    for sample in SAMPLES:
        sample()
