"""The rules of competence, against generated catalogues and against a slow resolver written apart."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalogue.competence import Place, Rules, Verdict, resolve
from bot.catalogue.records import BaseCompetence, Decision, Delegation, DelegationKind, Level, Scope, Stage
from bot.catalogue.store import Catalogue
from tests.catalogue.obvious import told

CODE = "1.000001"
AUTHORITIES = ["a", "b", "c", "d", "e"]
UNITS = ["u1", "u2", "u3"]
START = date(2023, 1, 1)

days = st.integers(0, 1500).map(lambda n: START + timedelta(days=n))
maybe_days = st.none() | days

REGISTER = {
    row.number: row
    for row in (
        Decision(number="QĐ 1", issuer="x", title="x", source="test", as_of=START),
        Decision(number="QĐ 2", issuer="x", title="x", valid_from=date(2024, 3, 1), source="test", as_of=START),
        Decision(number="QĐ 3", issuer="x", title="x", valid_to=date(2025, 5, 31), source="test", as_of=START),
        Decision(number="QĐ 4", issuer="x", title="x", replaced_by="QĐ 2", source="test", as_of=START),
        Decision(number="QĐ 5", issuer="x", title="x", replaced_by="QĐ 9", source="test", as_of=date(2024, 9, 1)),
    )
}


def _ordered(first: date | None, last: date | None) -> tuple[date | None, date | None]:
    return (last, first) if first and last and last < first else (first, last)


@st.composite
def delegations(draw: st.DrawFn) -> Delegation:
    giver, taker = draw(st.permutations(AUTHORITIES))[:2]
    scope = draw(st.sampled_from(Scope))
    valid_from, valid_to = _ordered(draw(maybe_days), draw(maybe_days))
    return Delegation(
        procedure=CODE,
        decision=draw(st.sampled_from([*REGISTER, "QĐ lạ"])),
        kind=draw(st.sampled_from(DelegationKind)),
        from_authority=giver,
        to_authority=taker,
        scope=scope,
        units=[] if scope is Scope.ALL else draw(st.lists(st.sampled_from(UNITS), min_size=1, unique=True)),
        stage=draw(st.sampled_from(Stage)),
        valid_from=valid_from,
        valid_to=valid_to,
        source="test",
        as_of=START,
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Rules:
    valid_from, valid_to = _ordered(draw(maybe_days), draw(maybe_days))
    base = BaseCompetence(
        procedure=CODE,
        authority=draw(st.sampled_from(AUTHORITIES)),
        valid_from=valid_from,
        valid_to=valid_to,
        source="test",
        as_of=START,
    )
    more = base.copy(update={"authority": "e", "valid_from": draw(days), "valid_to": None})
    bases = draw(st.sampled_from([[], [base], [base, more]]))
    return Rules.of(bases, draw(st.lists(delegations(), max_size=8)), REGISTER.values(), {"d": Level.DISTRICT})


places = st.sampled_from([Place(None), Place("u1"), Place("u2"), Place("x", ("u3",))])


@settings(max_examples=400)
@given(catalogues(), places, days)
def test_every_answer_keeps_the_rules(rules: Rules, place: Place, day: date) -> None:
    found = resolve(rules, CODE, place, day)
    if found.verdict is Verdict.UNKNOWN:
        assert found.authority is None
        assert not any(base.holds_on(day) for base in rules.base.get(CODE, ()))
        return
    assert found.base is not None and found.base.holds_on(day)
    holder, seen = found.base.authority, {found.base.authority}
    for step, row in enumerate(found.chain):
        assert row.from_authority == holder, "the chain has a gap"
        assert row.to_authority not in seen, "the chain goes round"
        assert row.holds_on(day) and row.stage is not Stage.PROPOSED, "nothing outside its dates, nothing only proposed"
        decision = rules.decisions.get(row.decision)
        assert decision is None or decision.holds_on(day), "the decision it rests on holds"
        assert row.covers(place.unit, place.parents), "nothing outside its scope"
        last = step == len(found.chain) - 1
        assert last or row.kind is not DelegationKind.MANDATED, "a mandate is not delegated again"
        holder = row.to_authority
        seen.add(holder)
    if found.verdict is Verdict.CONTRADICTION:
        assert found.authority == found.base.authority
        assert len({row.to_authority for row in found.conflicts}) > 1
    elif found.verdict is Verdict.ENDED:
        assert found.authority == found.base.authority and rules.levels.get(holder) is Level.DISTRICT
    else:
        assert found.authority == holder
        assert found.verdict is (Verdict.DELEGATED if found.chain else Verdict.BASE)


@settings(max_examples=600)
@given(catalogues(), places, days)
def test_the_resolver_agrees_with_the_obvious_one(rules: Rules, place: Place, day: date) -> None:
    found = resolve(rules, CODE, place, day)
    around = {unit for unit in (place.unit, *place.parents) if unit}
    levels = {code: level.value for code, level in rules.levels.items()}
    right = told(rules.base.get(CODE, ()), rules.delegations.get(CODE, ()), REGISTER, around, day, levels)
    assert (found.verdict.value, found.authority) == (right.verdict, right.authority)
    assert [row.to_authority for row in found.chain] == [row.to_authority for row in right.path]


def test_a_district_decides_nothing_after_its_end() -> None:
    base = BaseCompetence(procedure=CODE, authority="huyen", source="t", as_of=START)
    rules = Rules.of([base], [], levels={"huyen": Level.DISTRICT})
    assert resolve(rules, CODE, Place(), date(2025, 6, 30)).verdict is Verdict.BASE
    assert resolve(rules, CODE, Place(), date(2025, 7, 1)).verdict is Verdict.ENDED


def test_exchange_of_licences_was_not_the_same_everywhere(catalogue: Catalogue) -> None:
    """Until 2025-02-28 desks in 13 of 30 districts took exchanges; from 2025-03-01 the police did."""

    def who(unit: str, day: date) -> str | None:
        return catalogue.competence("3.000347", unit, day).authority

    last, first = date(2025, 2, 28), date(2025, 3, 1)
    assert who("cu-quan-long-bien", last) == "mot-cua-huyen"
    assert who("cu-quan-ba-dinh", last) == "so-gtvt"
    assert who("cu-quan-long-bien", first) == who("cu-quan-ba-dinh", first) == "csgt-tp"
    districts = [u for u in catalogue.places.units.values() if u.code.startswith("cu-") and u.parent is None]
    assert len(districts) == 30
    assert sum(who(unit.code, last) == "mot-cua-huyen" for unit in districts) == 13


def test_what_rests_on_an_ended_decree_is_not_shown_as_valid(catalogue: Catalogue) -> None:
    before = catalogue.competence("1.013978", None, date(2027, 3, 1))
    after = catalogue.competence("1.013978", None, date(2027, 3, 2))
    assert before.authority == "ct-ubnd-xa" and before.chain[0].decision == "151/2025/NĐ-CP"
    assert after.verdict is Verdict.ENDED and not after.chain and not after.certain


def test_the_plan_of_2022_delegates_nothing_today(catalogue: Catalogue) -> None:
    assert not any(row.decision == "4610/QĐ-UBND" for rows in catalogue.rules.delegations.values() for row in rows)
