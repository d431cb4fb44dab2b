"""The tests that are known to fail, each with its cause: `differences.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from upstream.outcomes import HERE, Outcome
from upstream.patterns import fits

KINDS = ("cannot be over a wire", "upstream's own", "to do")
"""Whose a difference is."""


@dataclass(frozen=True)
class Difference:
    """Why some tests fail.

    Attributes:
        suite: The suite of the tests.
        kind: Whose it is, one of `KINDS`.
        cause: In one sentence.
        tests: Ids of tests; `*` stands for any text.
        sometimes: Whether they fail only on some days, since time decides.
    """

    suite: str
    kind: str
    cause: str
    tests: tuple[str, ...]
    sometimes: bool = False

    def fits(self, test: str) -> bool:
        """Whether the test is one of these."""
        return any(fits(pattern, test) for pattern in self.tests)


@dataclass
class Comparison:
    """The outcomes of a suite beside what is known.

    Attributes:
        passed: How many tests pass.
        known: The failing tests of each difference.
        unknown: The failing tests that no difference names.
        stale: The patterns that fit no test, or whose tests all pass and are not named as
            failing sometimes.
    """

    passed: int = 0
    known: dict[Difference, list[Outcome]] = field(default_factory=dict)
    unknown: list[Outcome] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def failed(self) -> dict[str, int]:
        """How many tests fail, by whose it is."""
        counts = dict.fromkeys(KINDS, 0)
        for difference, outcomes in self.known.items():
            counts[difference.kind] += len(outcomes)
        return counts

    def in_doubt(self, tests: Iterable[str]) -> list[str]:
        """Those of `tests` that came out otherwise than what is known says."""
        failed = {outcome.test for outcome in self.unknown}
        return [
            test
            for test in tests
            if test in failed or any(fits(pattern, test) for pattern in self.stale)
        ]


def read(path: Path = HERE / "differences.toml") -> list[Difference]:
    """The differences of all suites.

    Raises:
        ValueError: One has a kind that is none, or no cause.
    """
    differences = []
    for suite, tables in tomllib.loads(path.read_text("utf-8")).items():
        for table in tables:
            difference = Difference(
                suite,
                table["kind"],
                table["cause"],
                tuple(table["tests"]),
                table.get("sometimes", False),
            )
            if difference.kind not in KINDS or not difference.cause:
                raise ValueError(f"{path.name}: {suite}: kind or cause of {difference.tests}")
            differences.append(difference)
    return differences


def compare(
    suite: str, outcomes: Mapping[str, Outcome], differences: list[Difference]
) -> Comparison:
    """Compare the outcomes of `suite` with what is known of it."""
    comparison = Comparison()
    mine = [difference for difference in differences if difference.suite == suite]
    failed = [outcome for outcome in outcomes.values() if not outcome.is_passed]
    comparison.passed = len(outcomes) - len(failed)
    for outcome in failed:
        known = next((one for one in mine if one.fits(outcome.test)), None)
        if known is None:
            comparison.unknown.append(outcome)
        else:
            comparison.known.setdefault(known, []).append(outcome)
    comparison.stale = [
        pattern
        for difference in mine
        for pattern in difference.tests
        if not any(
            fits(pattern, outcome.test)
            for outcome in (outcomes.values() if difference.sometimes else failed)
        )
    ]
    return comparison
