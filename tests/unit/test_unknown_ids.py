"""Ids and keys that must not be accepted: of the form of the known one, and not it."""

from __future__ import annotations

from pathlib import Path

import pytest

from batch_conformance.contract import current_contract
from batch_conformance.generate.ids import unknown_id_like
from batch_conformance.generate.keys import hostile_keys, near_keys, other_places
from tests.support.edits import BEARER
from tests.support.overlays import LIST, update, using


@pytest.mark.parametrize(
    ("known", "digits"), [("7", 9), ("4711", 9), ("10412", 5), ("10412099", 8), ("1700000000", 10), ("9" * 12, 12)]
)
def test_an_unknown_number_has_the_form_of_the_known_one(known: str, digits: int) -> None:
    """As long, unless counting reaches it soon; a 32-bit number stays one."""
    for seed in range(50):
        value = unknown_id_like(known, seed).value
        assert len(value) == digits
        assert value != known
        assert int(value) > int(known) or known.startswith("9")
        assert int(value) < 2**31 or len(known) > 8


def test_a_known_number_of_32_bits_gets_an_unknown_one() -> None:
    """A column of that type refuses a larger one as malformed."""
    assert all(int(unknown_id_like("1700000000", seed).value) < 2**31 for seed in range(50))


@pytest.mark.parametrize("known", ["d" * 24, "01" + "A" * 22, "batch_" + "7" * 30, "batch_" + "x" * 200, "0" * 26])
def test_an_id_of_one_character_is_not_its_own_unknown_one(known: str) -> None:
    """Such ids are common in seeds of tests, and have no other order."""
    values = {unknown_id_like(known, seed).value for seed in range(20)}
    assert known not in values
    assert {len(value) for value in values} == {len(known)}


def test_a_long_key_is_sent_in_fewer_places_at_once() -> None:
    """A server may refuse a request for its length, whatever the key."""
    few = other_places("k" * 640, current_contract().operation("get"))
    many = other_places("k" * 40, current_contract().operation("get"))
    assert few.keys() == many.keys()
    assert all(sum(len(name) + len(value) for name, value in pairs) <= 3000 for pairs in few.values())
    assert 1 < len(few["query"]) < len(many["query"])
    assert len(other_places("k" * 9000, current_contract().operation("get"))["query"]) == 1


def test_a_bearer_key_counts_for_nothing_without_its_scheme(tmp_path: Path) -> None:
    """The bare key and other schemes are tried; the right one in another case is legal."""
    with using(tmp_path, *BEARER):
        places = other_places("sk-Test1", current_contract().operation("get"))
    values = [value for name, ((_, value),) in ((n, p) for n, p in places.items() if n.startswith("authorization-"))]
    assert "sk-Test1" in values
    assert any(value.startswith("Basic ") for value in values)
    assert not any(value.lower().startswith("bearer ") for value in values)


def test_no_header_gets_a_name_that_cannot_be_sent(tmp_path: Path) -> None:
    """A key in the query may have any name; as a header's, it would fail to be sent."""
    scheme = {"in": "query", "name": "auth[key]"}
    with using(tmp_path, update("$.components.securitySchemes.apiKey", scheme)):
        places = other_places("sk-Test1", current_contract().operation("get"))
    assert "auth[key]" not in {name for name, _ in places["header"]}
    assert "auth[key]" in {name for name, _ in places["cookie"]}


def test_a_key_is_tried_where_another_operation_has_it(tmp_path: Path) -> None:
    """Each operation may have a scheme of its own."""
    own = {"type": "apiKey", "in": "header", "name": "X-List-Key"}
    schemes = update("$.components.securitySchemes", {"listKey": own})
    with using(tmp_path, schemes, update(LIST, {"security": [{"listKey": []}]})):
        of_get, of_list = (other_places("sk-Test1", current_contract().operation(name)) for name in ("get", "list"))
    assert "X-List-Key" in {name for name, _ in of_get["header"]}
    assert "x-api-key" in {name for name, _ in of_list["header"]}
    assert "x-api-key" not in {name.lower() for name, _ in of_get["header"]}


def test_a_key_is_tried_without_each_of_its_prefixes() -> None:
    """Servers cut off one or all of them."""
    values = [key.value for key in near_keys("sk-live-AbCdEf123456", "KEY", 0)]
    assert "live-AbCdEf123456" in values
    assert "AbCdEf123456" in values
    assert "AbCdEf123456" in [key.value for key in near_keys("nk_AbCdEf123456", "KEY", 0)]


def test_a_key_is_tried_with_white_space_of_latin_1_behind() -> None:
    """As one byte, which servers that decode headers as Latin-1 trim."""
    assert "sk-Test1\udca0" in [key.value for key in hostile_keys("sk-Test1", "KEY")]
