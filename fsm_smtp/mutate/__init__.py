"""The examiner examined: single changes of the table, each of which verification must notice.

`mutants` makes the changes, `equivalence` proves that a change makes no difference, `campaign`
runs them all and keeps the score.
"""

from fsm_smtp.mutate.campaign import Outcome, Score, Trial, run_campaign
from fsm_smtp.mutate.mutants import Mutant, all_mutants, sample

__all__ = ["Mutant", "Outcome", "Score", "Trial", "all_mutants", "run_campaign", "sample"]
