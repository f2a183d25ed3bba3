"""The rules of competence, against generated catalogues and against a slow resolver written apart."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalogue.competence import Place, Rules, Verdict, resolve
from bot.catalogue.records import BaseCompetence, Decision, Delegation, DelegationKind, Level, Scope, Stage
from bot.catalogue.store import Catalogue

CODE = "1.000001"
AUTHORITIES = ["a", "b", "c", "d", "e"]
UNITS = ["u1", "u2", "u3"]
START = date(2023, 1, 1)

days = st.integers(0, 1500).map(lambda n: START + timedelta(days=n))
maybe_days = st.none() | days


def _ordered(first: date | None, last: date | None) -> tuple[date | None, date | None]:
    return (last, first) if first and last and last < first else (first, last)


@st.composite
def delegations(draw: st.DrawFn) -> Delegation:
    giver, taker = draw(st.permutations(AUTHORITIES))[:2]
    scope = draw(st.sampled_from(Scope))
    valid_from, valid_to = _ordered(draw(maybe_days), draw(maybe_days))
    return Delegation(
        procedure=CODE,
        decision=draw(st.sampled_from(["QĐ 1", "QĐ 2", "QĐ 3"])),
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
    ended = Decision(number="QĐ 3", issuer="x", title="x", valid_to=draw(maybe_days), source="test", as_of=START)
    return Rules.of([base] if draw(st.booleans()) else [], draw(st.lists(delegations(), max_size=8)), [ended])


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
    else:
        assert found.authority == holder
        assert found.verdict is (Verdict.DELEGATED if found.chain else Verdict.BASE)


def slow(rules: Rules, place: Place, day: date, holder: str, path: tuple[Delegation, ...]) -> tuple[str | None, int]:
    """The obvious resolver, by recursion: (authority or None for a contradiction, length of the chain)."""
    if path and path[-1].kind is DelegationKind.MANDATED:
        return holder, len(path)
    been = {row.from_authority for row in path} | {holder}
    open_ = []
    for row in rules.delegations.get(CODE, ()):
        within = (row.valid_from is None or day >= row.valid_from) and (row.valid_to is None or day <= row.valid_to)
        decision = rules.decisions.get(row.decision)
        if decision is not None and decision.valid_to is not None and day > decision.valid_to:
            within = False
        here = {place.unit, *place.parents}
        if row.scope is Scope.ONLY:
            within = within and bool(here & set(row.units))
        if row.scope is Scope.EXCEPT:
            within = within and not here & set(row.units)
        if within and row.stage != Stage.PROPOSED and row.from_authority == holder and row.to_authority not in been:
            open_.append(row)
    if not open_:
        return holder, len(path)
    order = [Scope.ALL, Scope.EXCEPT, Scope.ONLY]
    open_.sort(key=lambda row: (order.index(row.scope), row.valid_from or date.min))
    best = [
        r
        for r in open_
        if r.scope is open_[-1].scope and (r.valid_from or date.min) == (open_[-1].valid_from or date.min)
    ]
    if len({row.to_authority for row in best}) > 1:
        return None, 0
    return slow(rules, place, day, best[0].to_authority, (*path, best[0]))


@settings(max_examples=400)
@given(catalogues(), places, days)
def test_the_resolver_agrees_with_the_obvious_one(rules: Rules, place: Place, day: date) -> None:
    found = resolve(rules, CODE, place, day)
    if found.base is None:
        return
    authority, steps = slow(rules, place, day, found.base.authority, ())
    if authority is None:
        assert found.verdict is Verdict.CONTRADICTION
    else:
        assert (found.authority, len(found.chain)) == (authority, steps)


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
