"""From a questionnaire and its answers to a published study.

Data goes one way: intake, chapters (on stats), release, display, publish.
"""
