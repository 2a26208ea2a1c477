"""A small study in a folder of its own: the national definition, with a handful of raw rows.

Tests of intake damage a copy of it; nothing here depends on the committed raw files.
"""

from __future__ import annotations

import csv
import shutil
from functools import cache
from pathlib import Path

from analysis.paths import PROJECT
from analysis.questionnaire import Questionnaire, read_questionnaire

STUDY = "cnc_afdas_2026"
DEFINITION = PROJECT / "studies" / STUDY
HEADERS = {
    "response_id": "Identifiant",
    "started_on": "Date de réponse",
    "complete": "Questionnaire terminé",
}
PROFILE = {
    "status": "intermittent",
    "age": "30_39",
    "sector": "film_audiovisual",
    "job": "editor",
    "ai_use_frequency": "weekly",
}
UNTRAINED = {**PROFILE, "training_setting": "none", "training_hours": "none"}
TRAINED = {
    **PROFILE,
    "training_setting": "online;other",
    "training_hours": "5_7",
    "informal_learning": "peers",
    "motivation_pro": "curiosity",
    "training_objective": "discover_ai",
}
# Two complete responses, one partial that is kept, two too short to keep.
RESPONSES: list[dict[str, str]] = [
    {**UNTRAINED, "informal_learning": "podcasts_videos;peers", "complete": "Oui"},
    {
        **TRAINED,
        "skill_tool_choice": "rather_agree",
        "satisfaction": "dissatisfied",
        "dissatisfaction_reason": "too_general;too_basic;too_theoretical",
        "practice": "none",
        "non_use_reason": "by_choice",
        "comment": "Trop court, « à refaire »",
        "complete": "Oui",
    },
    {**PROFILE, "training_setting": "online", "complete": "Non"},
    {"status": "student", "age": "under_30", "complete": "Non"},
    {"complete": "Non"},
]
ACTIONS = [
    "Numéro d'action;Intitulé;Organisme;Date de début;Durée (h);Statut;Secteur;Région;Groupe",
    "A1;Découvrir l’IA;Alpha;15/01/2024;7,5;Permanent;Audiovisuel;Île-de-France;1",
    "A2;Découvrir l’IA;Alpha;16/02/2024;14;Intermittent du spectacle;Cinéma;Occitanie;1",
    "A3;IA et effets;Bêta;01/12/2024;21;Permanent;Animation et effets visuels;Bretagne;2",
    "A4;IA et jeu;Bêta;31/12/2024;1200;Permanent;Jeu vidéo;Autre;2",
    "A5;IA et jeu;Bêta;01/01/2024;3;Permanent;Jeu vidéo;Auvergne-Rhône-Alpes;2",
    "A6;IA et jeu;Bêta;02/01/2024;3;Permanent;Jeu vidéo;Provence-Alpes-Côte d'Azur;2",
    "A7;IA et jeu;Bêta;03/01/2024;3;Permanent;Jeu vidéo;Nouvelle-Aquitaine;2",
    "A8;IA et jeu;Bêta;04/01/2024;3;Permanent;Jeu vidéo;Hauts-de-France;2",
]
INSTITUTIONS = [
    "institution_id,institution_type,ai_integration,ai_modules,ai_conferences,specialised_track",
    "I1,public,strong,with_modules,with_conferences,yes",
    "I2,commercial,none_visible,without_modules,without_conferences,no",
]
PROGRAMMES = [
    "programme_id,prerequisite,approach,trainer_profile",
    "P1,none,practical;single_tool,teacher",
    "P2,advanced,,unspecified",
]


def make(root: Path) -> Path:
    """Write the study below `root`, with its raw files; returns the folder of raw files."""
    shutil.copytree(DEFINITION, root / "studies" / STUDY)
    raw = root / "data" / "raw" / STUDY
    raw.mkdir(parents=True)
    write_survey(raw / "survey.csv", RESPONSES)
    text = "\r\n".join(ACTIONS) + "\r\n"
    (raw / "training_actions.csv").write_bytes(text.encode("utf-8-sig"))
    (raw / "institutions.csv").write_text("\n".join(INSTITUTIONS) + "\n", encoding="utf-8")
    (raw / "programmes.csv").write_text("\n".join(PROGRAMMES) + "\n", encoding="utf-8")
    return raw


@cache
def form() -> Questionnaire:
    return read_questionnaire(DEFINITION / "questionnaire.csv")


def header() -> list[str]:
    columns = [column for question in form() for column in question.columns]
    return [*HEADERS.values(), "Dernière page", *columns]


def write_survey(path: Path, responses: list[dict[str, str]]) -> None:
    """An export with one column an answer; answers to several are codes joined by ";"."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header())
        for number, answers in enumerate(responses, start=1):
            row = [answers.get("response_id", f"R{number}")]
            row += [answers.get("started_on", "2025-12-20"), answers["complete"], "profile"]
            for question in form():
                given = answers.get(question.name, "")
                if question.several:
                    ticked = given.split(";")
                    row += [str(int(a in ticked)) if given else "" for a in question.answers]
                else:
                    row.append(given)
            writer.writerow(row)


def replace_line(path: Path, row: int, old: str, new: str) -> None:
    """Change a text in one line of a file, as long as the text is there."""
    lines = path.read_bytes().decode("utf-8").split("\n")
    assert old in lines[row - 1]
    lines[row - 1] = lines[row - 1].replace(old, new)
    path.write_bytes("\n".join(lines).encode("utf-8"))


def set_cell(path: Path, row: int, column: str, value: str) -> None:
    """Write one cell of a UTF-8 CSV with commas."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    rows[row - 1][rows[0].index(column)] = value
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
