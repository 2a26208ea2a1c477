"""The export of a made-up region, in the layout of LimeSurvey: `python tests/region/make.py`.

Sixty people who do not exist; the guide (studies/README.md) is followed with it.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

HERE = Path(__file__).parent
AGREE = ["Pas du tout d’accord", "Plutôt pas d’accord", "Plutôt d’accord", "Tout à fait d’accord"]
SATISFIED = ["Très insatisfait·e", "Plutôt insatisfait·e", "Plutôt satisfait·e", "Très satisfait·e"]
HOURS = ["Aucune", "Moins de 7 h", "7 à 14 h", "Plus de 14 h"]
STATUS = ["Salariat permanent", "Intermittence du spectacle", "Études", "Activité indépendante"]
WHY = ["Par curiosité", "Pour gagner du temps", "Sur proposition de l’employeur", "Autre"]
ITEMS = ["choisir un outil selon le besoin", "évaluer un résultat", "respecter le droit"]
HEADER = [
    "ID de la réponse", "Date de soumission", "Dernière page", "Langue de départ",
    "Tête de série", "Date de lancement", "Adresse e-mail",
    "Quelle est votre situation ?",
    "Dans quel département travaillez-vous ?",
    "Combien d’heures de formation à l’IA avez-vous suivies ?",
    *(f"Pourquoi vous êtes-vous formé·e à l’IA ? [{why}]" for why in WHY),
    *(f"Après la formation, je sais… [{item}]" for item in ITEMS),
    "Dans l’ensemble, êtes-vous satisfait·e de la formation ?",
    "Mettez-vous en pratique ce que vous avez appris ?",
    "Souhaitez-vous ajouter un commentaire ?",
]  # fmt: skip


def people(count: int = 60) -> list[list[str]]:
    """One row a person; those without training were not asked about it."""
    dice = random.Random(2026)
    rows = []
    for number in range(1, count + 1):
        day = f"2026-03-{1 + number % 28:02}"
        hours = dice.choices(HOURS, [2, 3, 3, 2])[0]
        place = "Côtes-d’Armor" if number == 7 else dice.choice(["Finistère", "Ille-et-Vilaine"])
        rows.append([
            str(number), f"{day} 10:12:00", "4", "fr", "20260301", f"{day} 10:00:00",
            f"personne{number}@exemple.bzh", dice.choice(STATUS), place, hours,
            *_training(dice, trained=hours != HOURS[0]),
            "Merci pour ce questionnaire." if number % 9 == 0 else "",
        ])  # fmt: skip
    return rows


def _training(dice: random.Random, trained: bool) -> list[str]:
    if not trained:
        return ["N/A"] * len(WHY) + [""] * (len(ITEMS) + 2)
    ticks = ["Oui", *dice.choices(["Oui", "Non"], k=len(WHY) - 1)]
    dice.shuffle(ticks)
    return [
        *ticks[:-1], "pour un projet" if ticks[-1] == "Oui" else "",
        *dice.choices(AGREE, [1, 2, 4, 3], k=len(ITEMS)),
        dice.choices(SATISFIED, [1, 2, 5, 3])[0],
        dice.choice(["Tous les jours", "De temps en temps", "Jamais"]),
    ]  # fmt: skip


if __name__ == "__main__":
    with (HERE / "export.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, quoting=csv.QUOTE_ALL)
        writer.writerow(HEADER)
        writer.writerows(people())
