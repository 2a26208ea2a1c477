"""The smallest study that has everything a build writes: two questions, in one language."""

from __future__ import annotations

from pathlib import Path

from analysis.study import Study, load_study

NAME = "tiny"
STUDY = """\
study: tiny
languages: [fr]
brand: {fr: Essai}
title: {fr: Une étude inventée}
field: {fr: essai}
publisher: nobody
synthetic: true
period: {start: 2026-01-01, end: 2026-03-31}
retention: {min_answered: 1}
licence: {name: Licence Ouverte 2.0, url: "https://example.org/licence"}
sources:
  survey:
    path: survey.csv
    columns:
      response_id: {label: {fr: Identifiant}, type: id}
populations:
  all: {label: {fr: ensemble}}
roles: {satisfaction: satisfaction, profile: [status]}
thresholds: {suppressed_base: 0}
"""
QUESTIONNAIRE = """\
survey
,type,name,label::Français (fr)
,select_one statuses,status,Votre situation
,select_one levels,satisfaction,Votre satisfaction
choices
,list_name,name,label::Français (fr)
,statuses,permanent,En poste
,statuses,student,En études
,levels,low,Faible
,levels,high,Forte
"""
ANSWERS = ["permanent,high", "permanent,low", "student,high", "student,high"]


def survey(times: int) -> str:
    """The answers of people, as many times as asked, as a CSV file."""
    rows = [f"R{n},{answers}" for n, answers in enumerate(ANSWERS * times, start=1)]
    return "\n".join(["response_id,status,satisfaction", *rows]) + "\n"


def make(root: Path) -> Study:
    """Write the study below a folder."""
    folder, raw = root / "studies" / NAME, root / "data" / "raw" / NAME
    folder.mkdir(parents=True)
    raw.mkdir(parents=True)
    (folder / "study.yml").write_text(STUDY, encoding="utf-8")
    (folder / "questionnaire.csv").write_text(QUESTIONNAIRE, encoding="utf-8")
    (raw / "survey.csv").write_text(survey(3), encoding="utf-8")
    return load_study(NAME, root)
