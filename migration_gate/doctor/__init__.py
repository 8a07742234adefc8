"""The command `doctor`: prints what is missing and what the gate found; with `--try`, runs env.py once.

diagnosis           every project of a folder; project_examination: what is known of one
examination_sections    what is said without running any of it: interpreter_section,
                    database_url_section, custom_settings
trial_section       `--try`; hook_draft: `--write-hook`
doctor_text         the answer for people
"""

from migration_gate.doctor.diagnosis import diagnose

__all__ = ["diagnose"]
