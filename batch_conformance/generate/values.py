"""Public names of value generation from schemas.

- :func:`valid_values`, :func:`strategy`: valid values of a schema and its rules;
- :func:`single_faults`: values that break one keyword at one place;
- :func:`rule_faults`, :func:`transition_faults`: values, and pairs of reads, that break one rule;
- :class:`Space`: the prepared schema that all use. If several are needed, build it once and call
  ``values_of``, ``faults_of``, ``rule_faults_of``, ``transition_faults_of``, ``strategy_of`` with it.
"""

from batch_conformance.generate.faults import Fault, SingleFaults, Unreachable, faults_of, single_faults
from batch_conformance.generate.rule_faults import (
    RuleFault,
    RuleFaults,
    rule_faults,
    rule_faults_of,
    transition_faults,
    transition_faults_of,
)
from batch_conformance.generate.space import Space
from batch_conformance.generate.strategy import strategy, strategy_of
from batch_conformance.generate.valid import Generated, valid_values, values_of

__all__ = [
    "Fault",
    "Generated",
    "RuleFault",
    "RuleFaults",
    "SingleFaults",
    "Space",
    "Unreachable",
    "faults_of",
    "rule_faults",
    "rule_faults_of",
    "single_faults",
    "strategy",
    "strategy_of",
    "transition_faults",
    "transition_faults_of",
    "valid_values",
    "values_of",
]
