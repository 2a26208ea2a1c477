"""`new`: what it makes of each layout and of odd exports, and what it refuses."""

import csv
import datetime as dt
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from analysis.cli import main
from analysis.errors import InputError
from analysis.intake.clean import examine
from analysis.paths import PROJECT
from analysis.pending import pending
from analysis.start import start, told
from analysis.start.words import bands_of, bare, scale_of, slug
from analysis.study import load_study

SAMPLES = Path(__file__).parent / "layouts"
EXPORTS = [
    "google_forms.csv", "kobo.csv", "kobo_labels.xlsx", "limesurvey.csv", "limesurvey_full.csv",
    "microsoft_forms.xlsx", "odk.csv", "plain.csv", "qualtrics.csv", "sphinx.xlsx", "spss.sav",
]  # fmt: skip
NAME = "essai_2026"


def begin(root, export=None, form=None, lang=None):
    made = start(NAME, form, export, root, lang)
    study = load_study(NAME, root)
    return made, study, *examine(study)


def write(path, header, rows, delimiter=",", encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def people():
    with (SAMPLES / "people.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


# --- Every layout, from the export alone


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_alone_is_enough(name, tmp_path):
    """No problem is left, and each question has the answers of the twelve people."""
    _, study, clean, problems = begin(tmp_path, SAMPLES / name)
    assert not problems
    survey = clean.tables["survey"]
    assert len(survey) == len(people())
    sizes = sorted(survey[column].value_counts().tolist() for column in singles(study))
    wanted = ("status", "skill_tool", "skill_law", "satisfaction")
    assert sizes == sorted(
        sorted(pd.Series([p[q] for p in people()]).replace("", None).dropna().value_counts(),
               reverse=True)
        for q in wanted
    )  # fmt: skip
    ticks = {
        tuple(sorted(int(survey[c].sum()) for c in q.columns))
        for q in study.questionnaire if q.several
    }  # fmt: skip
    asked = pd.Series([p["training_setting"].split() for p in people()]).explode().value_counts()
    assert tuple(sorted(asked)) in ticks


def singles(study):
    return [q.name for q in study.questionnaire if q.kind == "select_one"]


@pytest.mark.parametrize("name", ["limesurvey.csv", "qualtrics_numbers.csv", "kobo_labels.xlsx"])
def test_a_questionnaire_gives_codes_their_names(name, tmp_path):
    made, study, clean, problems = begin(tmp_path, SAMPLES / name, SAMPLES / "questionnaire.csv")
    assert not problems
    assert list(study.questionnaire.questions)[:2] == ["status", "training_setting"]
    counts = clean.tables["survey"]["satisfaction"].value_counts()
    assert counts["very_satisfied"] == sum(p["satisfaction"] == "very_satisfied" for p in people())
    assert made.cast.sure["battery"]["agree"] == ["rather_agree", "strongly_agree"]
    assert {"satisfaction", "comment", "status"} <= set(made.cast.sure)


def test_the_national_survey_is_read_with_and_without_its_questionnaire(tmp_path):
    raw = PROJECT / "data/raw/cnc_afdas_2026/survey.csv"
    form = PROJECT / "studies/cnc_afdas_2026/questionnaire.csv"
    made, study, clean, problems = begin(tmp_path / "both", raw, form)
    assert not problems and len(clean.tables["survey"]) == 341
    national = load_study("cnc_afdas_2026")
    assert list(study.questionnaire.questions) == list(national.questionnaire.questions)
    for role in ("satisfaction", "hours", "status", "job", "practice", "non_use_reason", "comment"):
        assert made.cast.sure[role] == getattr(national.roles, role), role
    assert made.cast.sure["no_training"] == "none"
    battery = national.roles.battery
    assert made.cast.sure["battery"]["scale"] == battery.scale
    assert made.cast.sure["battery"]["not_concerned"] == battery.not_concerned
    _, alone, clean, problems = begin(tmp_path / "alone", raw)
    assert not problems and len(clean.tables["survey"]) == 341
    several = [q.name for q in alone.questionnaire if q.several]
    assert several == [q.name for q in national.questionnaire if q.several]


@pytest.fixture(autouse=True)
def _folders(tmp_path):
    for name in ("both", "alone"):
        (tmp_path / name).mkdir()


# --- Odd exports


def odd_rows(count=40):
    days = [dt.date(2026, 1, 5) + dt.timedelta(days=n % 30) for n in range(count)]
    return [
        [
            n + 1, f"{days[n]:%d/%m/%Y} 10:00", f"Nom{n}", f"p{n}@exemple.fr", "Oui",
            18 + n, ["Salarié·e", "Étudiant·e", "Autre"][n % 3],
            f"artiste {n}" if n % 3 == 2 else "",
            f"détail {n}" if n % 5 == 0 else "", ["Bretagne", "Normandie"][n % 2],
            n % 8 + 3, "ChatGPT;Claude, Gemini" if n % 2 else "Aucun",
            ["Aucune", "Moins de 7 h", "7 à 14 h", "Plus de 14 h"][n % 4],
            ["Très satisfait(e)", "Plutôt satisfait(e)", "Insatisfait(e)"][n % 3],
            f"{days[n]:%d.%m.%Y}", f"Merci {n}" if n % 2 else "", "",
        ]
        for n in range(count)
    ]  # fmt: skip


ODD = [
    "N°", "Horodateur", "Nom", "Adresse e-mail", "J’accepte l’usage de mes réponses (RGPD)",
    "Quel est votre âge ?", "Votre statut", "Autre, précisez", "Autre, précisez", "Région",
    "Notez la formation sur 10", "Quels outils utilisez-vous ?",
    "Combien d’heures de formation ?", "Êtes-vous satisfait·e ?", "Date de la formation",
    "Un commentaire ?", "Colonne vide",
]  # fmt: skip


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "cp1252"), (",", "utf-8-sig")])
def test_an_export_of_no_known_tool(delimiter, encoding, tmp_path):
    file = write(tmp_path / "export.csv", ODD, odd_rows(), delimiter, encoding)
    made, study, clean, problems = begin(tmp_path, file)
    assert not problems
    kinds = {q.labels["fr"]: q.kind for q in study.questionnaire}
    assert kinds["Quel est votre âge ?"] == "integer"
    assert kinds["Quels outils utilisez-vous ?"] == "select_multiple"
    assert kinds["Date de la formation"] == "date"
    assert kinds["Autre, précisez"] == kinds["Un commentaire ?"] == "text"
    assert len([q for q in study.questionnaire if q.labels["fr"] == "Autre, précisez"]) == 2
    tools = next(q for q in study.questionnaire if q.several)
    assert {c.labels["fr"] for c in tools.choices} == {"ChatGPT", "Claude, Gemini", "Aucun"}
    assert study.definition.period.start == dt.date(2026, 1, 5)
    for role in ("satisfaction", "hours", "status", "comment", "no_training"):
        assert role in made.cast.sure
    assert clean.tables["survey"]["started_on"].notna().all()


def test_personal_data_are_never_read_and_kept_from_publication(tmp_path):
    file = write(tmp_path / "export.csv", ODD, odd_rows())
    made, study, clean, _ = begin(tmp_path, file)
    assert made.private == ["Nom", "Adresse e-mail"]
    held = clean.tables["survey"].astype("string").stack()
    assert not held.str.contains("@").any() and not held.str.contains("^Nom").any()
    ignored = (study.paths.raw / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "survey.csv" in ignored
    assert "Adresse e-mail" in told(made) and "jamais lue" in told(made)
    assert (study.paths.raw / "survey.csv").read_bytes() == file.read_bytes()


def test_words_of_ones_own_are_no_list_though_they_come_again(tmp_path):
    """Nor is a question that only asks to be told something free text for that."""
    header = ["Response ID", "Dites-nous en plus", "Please tell us your region", "LocationLatitude",
              "Do you agree to take part in this research?"]  # fmt: skip
    rows = [(n, ("Plus de temps", "Merci")[n % 2], ("North", "South")[n % 2], 48.8 + n / 7, "Yes")
            for n in range(20)]  # fmt: skip
    made, study, *_ = begin(tmp_path, write(tmp_path / "export.csv", header, rows))
    kinds = {question.labels["fr"]: question.kind for question in study.questionnaire}
    assert kinds == {"Dites-nous en plus": "text", "Please tell us your region": "select_one"}
    assert study.roles.comment
    assert made.private == ["LocationLatitude"]


def test_what_people_wrote_under_other_is_no_answer_of_a_list(tmp_path):
    rows = [["Salarié", "a"]] * 30 + [["Étudiant", "b"]] * 30
    rows += [[f"Je suis bénévole de {n}", "b"] for n in "ABCDE"]
    file = write(tmp_path / "export.csv", ["Votre statut", "Groupe"], rows)
    made, study, clean, problems = begin(tmp_path, file)
    assert not problems
    assert [c.name for c in study.questionnaire["statut"].choices] == [
        "salarie",
        "etudiant",
        "other",
    ]
    assert clean.tables["survey"]["statut"].value_counts()["other"] == 5
    assert any("recodes.csv" in each.file for each in made.left)


def test_a_grid_of_marks_is_a_battery_that_a_person_confirms(tmp_path):
    header = ["Timestamp", "I can… [choose a tool]", "I can… [check an answer]", "How often?"]
    rows = [["2026/02/10 9:10:00 AM UTC+1", n % 5 + 1, n % 4 + 1, "Often"] for n in range(20)]
    made, study, _, problems = begin(tmp_path, write(tmp_path / "export.csv", header, rows))
    assert not problems and study.definition.languages == ["en", "fr"]
    items = [q for q in study.questionnaire if q.groups]
    assert [q.labels["en"] for q in items] == ["choose a tool", "check an answer"]
    assert items[0].answers == items[1].answers == ["1", "2", "3", "4", "5"]
    assert "battery" not in made.cast.sure
    assert ("battery", items[0].groups[0]) in [(r, v["group"]) for r, v in made.cast.maybe
                                               if r == "battery"]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("Note de 0 à 10", [0, 3, 10, 7] * 5, "select_one"),
        ("Combien de jours ?", [0, 3, 10, 7] * 5, "integer"),
        ("Montant", ["12,5", "7", "8,25", "9"] * 5, "decimal"),
        ("Jour", ["2026-01-02", "03/02/2026", "4.2.2026", "2026-01-02T10:00:00Z"] * 5, "date"),
        ("Avis", [f"Un avis différent {n}" for n in range(20)], "text"),
        ("Utile ?", ["Oui", "Non"] * 10, "select_one"),
        ("Choix", ["A|B", "B|C", "A", "C"] * 5, "select_multiple"),
    ],
)
def test_types_follow_from_cells(header, cells, kind, tmp_path):
    rows = [[cell, "x" if n % 2 else "y"] for n, cell in enumerate(cells)]
    _, study, _, problems = begin(tmp_path, write(tmp_path / "e.csv", [header, "Groupe"], rows))
    assert not problems
    assert next(iter(study.questionnaire)).kind == kind


ITEM = ["Strongly agree", "Agree", "Neither agree nor disagree", "Disagree", "Strongly disagree"]
RATED = ["Very good", "Good", "Fair", "Poor"]


def two_batteries(path, weights):
    """A flat sheet: two batteries of agreement side by side, one of quality, a weight."""
    header = ["Tools: they save me time", "Tools: they worry me", "Course: it was clear",
              "Course: it was long enough", "Rooms - light", "Rooms - noise", "Overall quality",
              "Age group", "Weight"]  # fmt: skip
    rows = [[*(ITEM[(n * k) % 5] for k in (1, 2, 3, 4)), *(RATED[(n + k) % 4] for k in range(3)),
             ["18-24", "25-34", "35+"][n % 3], weights[n]] for n in range(40)]  # fmt: skip
    return write(path / "export.csv", header, rows)


def test_several_batteries_and_a_weight_are_proposed(tmp_path):
    weights = [f"{0.5 + n % 4 / 2:.2f}" for n in range(40)]
    made, study, clean, problems = begin(tmp_path, two_batteries(tmp_path, weights))
    assert not problems
    groups = [battery.group for battery in study.batteries]
    assert groups == ["tools", "course"]
    assert study.batteries[0].scale[0] == "strongly_disagree"
    text = (study.paths.definition / "study.yml").read_text(encoding="utf-8")
    assert "    # - {group: rooms, scale: [poor, fair, good, very_good]" in text
    assert study.questionnaire["overall_quality"].groups == ()
    assert study.definition.design.weights == "weight" and "weight" not in study.questionnaire
    assert clean.tables["survey"]["design/weight"].tolist() == [float(w) for w in weights]
    marks = " ".join(each.text for each in made.left)
    assert "the column Weight weights every result" in marks
    assert "write the label of this code" not in marks  # 18-24 is one
    assert "kept: 40 of 40 responses" in told(made)


def test_a_weight_that_does_not_fit_weights_nothing(tmp_path):
    weights = ["1,2"] * 20 + [""] * 5 + ["0"] * 15
    made, study, _, problems = begin(tmp_path, two_batteries(tmp_path, weights))
    assert not problems and not study.definition.design.declared
    assert any("not all its cells are positive" in each.text for each in made.left)


def test_codes_that_are_numbers_may_be_a_battery(tmp_path):
    rows = [[n % 7 + 1, (n + 3) % 7 + 1, (n * 2) % 7 + 1, "x" if n % 2 else "y"] for n in range(70)]
    made, study, _, problems = begin(
        tmp_path, write(tmp_path / "e.csv", ["q1", "q2", "q3", "groupe"], rows)
    )
    assert not problems and study.roles.battery is None
    (battery,) = [value for role, value in made.cast.maybe if role == "battery"]
    assert battery["scale"] == ["1", "2", "3", "4", "5", "6", "7"]


# --- An XLSForm of someone else


FOREIGN = """survey
,type,name,label,relevant,constraint
,start,start,,,
,begin repeat,jobs,Vos métiers,,
,select one from statuses,status,Votre statut,,
,end repeat,,,,
,range,years,Années d’expérience,,. >= 0
,geopoint,where,Lieu,,
,select_multiple tools or_other,tools,Vos outils,regex(${status}; 'a'),
,text,remark,Une remarque,${status} = 'a',
choices
,list name,name,label
,statuses,a,Salarié·e
,statuses,b,Étudiant·e
,tools,x,ChatGPT
,tools,y,Claude
"""


def test_a_form_of_another_tool_is_made_readable(tmp_path):
    file = tmp_path / "form.csv"
    file.write_text(FOREIGN, encoding="utf-8")
    made = start(NAME, file, None, tmp_path)
    study = load_study(NAME, tmp_path)
    form = study.questionnaire
    assert {q.name: q.kind for q in form} == {
        "status": "select_one", "years": "integer", "tools": "select_multiple",
        "tools_other": "text", "remark": "text",
    }  # fmt: skip
    assert form["tools"].answers == ["x", "y", "other"]  # as the tool does with or_other
    assert form.languages == ("fr", "en") and form["tools"].relevant == ""
    marks = " ".join(each.text for each in made.left)
    assert "regex(${status}; 'a')" in marks and "traduire" in marks
    assert study.population_of("remark") == "asked_remark"
    assert "data/raw/essai_2026" in marks  # the export is still to come


# --- What it writes and refuses


def test_marks_are_told_with_file_and_row_and_go_away(tmp_path, capsys):
    shutil.copytree(PROJECT / "report", tmp_path / "report")
    arguments = ["--root", str(tmp_path)]
    assert main(["new", NAME, "--export", str(SAMPLES / "google_forms.csv"), *arguments]) == 0
    out = capsys.readouterr().out
    assert f"studies/{NAME}/study.yml, ligne 8\u00a0: titre du rapport" in out
    assert main(["validate", NAME, *arguments]) == 0
    assert "left to decide:" in capsys.readouterr().out
    path = tmp_path / "studies" / NAME / "study.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("languages: [fr, en]", "languages: [fr]"), encoding="utf-8")
    left = pending(load_study(NAME, tmp_path).paths, ["fr"])
    assert not [each for each in left if "traduire le libellé (" in each.text]
    lines = text.splitlines()
    for each in left:
        if each.file.endswith("study.yml"):
            assert all(each.text in lines[row - 1] for row in each.rows)


def test_the_description_of_the_export(tmp_path):
    import hashlib  # noqa: PLC0415

    begin(tmp_path, SAMPLES / "kobo.csv")
    raw = tmp_path / "data/raw" / NAME
    meta = yaml.safe_load((raw / "survey.csv.meta.yml").read_text(encoding="utf-8"))
    assert meta["sha256"] == hashlib.sha256((SAMPLES / "kobo.csv").read_bytes()).hexdigest()
    assert meta["rows"] == 12 and meta["synthetic"] is False


def test_nothing_is_written_over(tmp_path):
    begin(tmp_path, SAMPLES / "kobo.csv")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(InputError) as caught:
        start(NAME, None, SAMPLES / "odk.csv", tmp_path)
    assert all("never writes over" in problem.rule for problem in caught.value.problems)
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("name", "export", "words"),
    [
        ("../evil", "kobo.csv", "small letters"),
        ("Bretagne 2026", "kobo.csv", "bretagne_2026"),
        ("essai", "nothing.csv", "no such file"),
        ("essai", "make.py", "a file ending in"),
        ("essai", None, "--export"),
    ],
)
def test_what_cannot_start_ends_with_2_and_leaves_nothing(name, export, words, tmp_path, capsys):
    arguments = ["--export", str(SAMPLES / export)] if export else []
    assert main(["new", name, *arguments, "--root", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert words in said and "nothing was written." in said and "Traceback" not in said
    left = [p for p in tmp_path.rglob("*") if p.name not in ("both", "alone")]
    assert not left


def test_a_failure_leaves_neither_folder(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("no room")

    monkeypatch.setattr("analysis.start._put_in_place", fails)
    with pytest.raises(OSError, match="no room"):
        start(NAME, None, SAMPLES / "kobo.csv", tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


# --- Words


@pytest.mark.parametrize(
    ("labels", "family", "order", "sides"),
    [
        (["Tout à fait d’accord", "Plutôt d’accord", "Plutôt pas d’accord", "Pas du tout d’accord"],
         "agreement", (3, 2, 1, 0), (-1, -1, 1, 1)),
        (["Très satisfait·e·s", "Satisfait·e·s", "Ni satisfait ni insatisfait", "Insatisfaites"],
         "satisfaction", (3, 2, 1, 0), (-1, 0, 1, 1)),
        (["5 - Strongly agree", "4 - Agree", "3 - Neutral", "2 - Disagree"],
         "agreement", (3, 2, 1, 0), (-1, 0, 1, 1)),
        (["Insatisfaisant", "Plutôt satisfaisant", "Satisfaisant"],
         "satisfaction", (0, 1, 2), (-1, 1, 1)),
        (["Jamais", "Parfois", "Souvent"], "frequency", (0, 1, 2), (-1, 0, 1)),
    ],
)  # fmt: skip
def test_scales_are_recognised_with_their_direction(labels, family, order, sides):
    found = scale_of(labels)
    assert (found.family, found.order, found.sides) == (family, order, sides)


def test_answers_beside_a_scale_and_no_scale():
    found = scale_of(["Non concerné·e", "D’accord", "Pas d’accord", "Tout à fait d’accord"])
    assert found.outside == (0,) and found.order == (2, 1, 3)
    assert scale_of(["Bretagne", "Normandie", "Corse"]) is None
    assert scale_of(["D’accord", "Souvent", "Jamais"]) is None


def test_bands_stand_in_the_order_of_their_numbers():
    labels = ["30 à 39 ans", "Moins de 30 ans", "60 ans et plus", "40 à 59 ans"]
    assert bands_of(labels) == [1, 0, 3, 2]
    assert bands_of(["7 à 14 h", "Aucune formation", "Plus de 14 h"]) == [1, 0, 2]
    assert bands_of(["bénévole 1", "bénévole 2", "bénévole 3"]) is None


def test_names_are_short_safe_and_unique():
    assert slug("Quels sont, d’après vous, les principaux freins à l’usage de l’IA ?") == (
        "apres_principaux_freins_usage_ia"
    )
    assert slug("À l’œuvre !", taken={"oeuvre"}) == "oeuvre_2"
    assert bare("Formé·e·s (« oui »)") == "forme oui"


def test_what_nobody_without_training_answers_is_routed_and_has_its_base(tmp_path):
    file = PROJECT / "tests/region/export.csv"
    made, study, clean, problems = begin(tmp_path, file)
    assert not problems
    hours = made.cast.sure["hours"]
    trained = int((clean.tables["survey"][hours] != "aucune").sum())
    satisfaction = study.roles.satisfaction
    assert study.question(satisfaction).relevant == f"${{{hours}}} != 'aucune'"
    assert study.population_of(satisfaction) == "trained"
    assert int(clean.tables["survey"][satisfaction].notna().sum()) == trained < 60
    assert study.question(study.roles.comment).relevant == ""
    assert list(study.roles.motivation.questions) == ["trained"]
    assert "Adresse e-mail" in made.private


def test_an_answer_and_what_was_written_beside_it_are_parted(tmp_path):
    cells = ["Cinéma, Jeu vidéo", "Cinéma", "Animation, effets visuels, Cinéma"] * 10
    cells += [f"Cinéma, théâtre de {place}" for place in ("Brest", "Rennes", "Vannes")]
    file = write(tmp_path / "e.csv", ["Vos secteurs", "Groupe"], [[c, "x"] for c in cells])
    _, study, clean, problems = begin(tmp_path, file)
    assert not problems
    sectors = next(iter(study.questionnaire))
    labels = {choice.labels["fr"] for choice in sectors.choices}
    assert labels == {"Cinéma", "Jeu vidéo", "Animation, effets visuels", "Autre"}
    ticked = clean.tables["survey"][[f"{sectors.name}/{c}" for c in ("cinema", "other")]].sum()
    assert ticked.tolist() == [33, 3]


def test_codes_without_labels_are_answers_to_be_named(tmp_path):
    rows = [[n, n % 2 + 1, n % 4 + 1, 35000 + n % 2] for n in range(40)]
    file = write(tmp_path / "e.csv", ["respid", "sexe", "q1", "Code postal"], rows)
    made, study, _, problems = begin(tmp_path, file)
    assert not problems and study.definition.sources.survey.columns["response_id"].type == "id"
    assert [q.kind for q in study.questionnaire] == ["select_one"] * 3
    assert study.questionnaire["q1"].answers == ["1", "2", "3", "4"]
    assert any("libellé de ce code" in each.text for each in made.left)
