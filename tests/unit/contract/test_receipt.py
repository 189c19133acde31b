"""The receipt: it always fits into a termination message, and says the same after the journey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import receipt
from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import MAX_BYTES, Changed, ConfigMapPlace, InvalidReceiptError, Receipt, decode, encode

_longest_domain = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 57, "com"])


@given(st.sampled_from(Reason), st.text(max_size=3000), st.integers(0, 20))
def test_no_receipt_is_longer_than_the_kubelet_keeps(reason: Reason, message: str, parts: int) -> None:
    names = tuple(f"{'n' * 63}-0123456789ab-{part}" for part in range(parts))
    full = receipt(
        reason,
        domain=_longest_domain,
        job_id=f"collect-{_longest_domain}-1732233600000",
        message=message,
        config_map=ConfigMapPlace(names, f"{_longest_domain}.json.gz"),
        changed=Changed(25_000, 25_000, 25_000),
    )
    data = encode(full)
    assert len(data) <= MAX_BYTES
    read = decode(data)
    assert message.startswith(read.message)
    assert read == Receipt(
        **{name: getattr(full, name) for name in Receipt.__struct_fields__} | {"message": read.message}
    )


@given(st.text(max_size=340, alphabet=st.characters(max_codepoint=0x7F, categories=["L", "N", "P"])))
def test_a_message_of_ordinary_length_arrives_whole(message: str) -> None:
    assert decode(encode(receipt(message=message))).message == message


def test_a_long_message_is_cut_between_characters() -> None:
    assert decode(encode(receipt(message="ä" * 2000))).message == "ä" * 512


def test_a_message_that_grows_in_json_is_left_out_rather_than_the_figures() -> None:
    read = decode(encode(receipt(message="\x00" * 1024)))
    assert (read.message, read.items) == ("", 7)


def test_a_receipt_that_can_not_fit_is_an_error_and_not_cut_json() -> None:
    names = tuple(f"{'n' * 63}-0123456789ab-{part}" for part in range(60))
    with pytest.raises(ValueError, match="does not fit"):
        encode(receipt(config_map=ConfigMapPlace(names, "example.com.json.gz")))


def test_keys_of_a_later_version_are_ignored() -> None:
    later = encode(receipt()).replace(b"{", b'{"novelty":[],', 1)
    assert decode(later) == receipt()


@pytest.mark.parametrize(
    "text",
    ["", "Killed", "{}", "[]", b"\xff", encode(receipt())[:-1], encode(receipt()).replace(b"Collected", b"Great")],
)
def test_other_termination_messages_are_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidReceiptError, match="it is no receipt"):
        decode(text)
