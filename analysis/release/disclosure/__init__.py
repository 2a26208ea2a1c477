"""Disclosure control at the gate: what is withheld, and the proof that it cannot be worked out.

people         what is known of each person: attributes, and the populations and routing in them
cells          each released number as the count of a set of people, whatever table it stands in
relations      every sum by which one of these counts follows from others
primary        which numbers are withheld for themselves
attack         how closely a withheld number can be told from what stays published
complementary  what else is withheld so that this is never closely enough, with the least lost
linked         tests and measures, which go with the tables that they are computed from
control        all of it, on the tables of results

Sources: Willenborg and de Waal (2001) Elements of Statistical Disclosure Control; Fischetti and
Salazar (2000) Models and algorithms for optimizing cell suppression in tabular data with linear
constraints, JASA 95(451); Hundepool et al. (2012) Statistical Disclosure Control, chapter 4.
"""
