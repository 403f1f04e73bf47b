"""The payload codec: what Temporal keeps cannot be read, altered or lost by changing the key."""

import dataclasses

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from domain.errors import KeyUnknown
from domain.messages import Course
from domain.stages import Stage
from store.key_file import generate
from store.keyring import Keyring, KeySet
from temporal.client import data_converter
from temporal.codec import Codec

OLD, NEW = b"o" * 32, b"n" * 32
WORDS = "words-that-nobody-may-read"


def _codec(current: str = "c1", **keys: bytes) -> Codec:
    return Codec(KeySet(current=current, keys=keys or {"c1": OLD}))


def _payload() -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=WORDS.encode())


async def test_payload_comes_back_as_it_went() -> None:
    codec = _codec()
    (sealed,) = await codec.encode([_payload()])
    assert WORDS.encode() not in sealed.SerializeToString()
    assert await codec.decode([sealed]) == [_payload()]


async def test_same_payload_is_never_sealed_alike() -> None:
    codec = _codec()
    first, second = await codec.encode([_payload(), _payload()])
    assert first.data != second.data


async def test_old_key_still_reads_after_a_rotation() -> None:
    (old,) = await _codec("c1", c1=OLD).encode([_payload()])
    rotated = _codec("c2", c1=OLD, c2=NEW)
    (new,) = await rotated.encode([_payload()])
    assert new.metadata["hetao-key-id"] == b"c2"
    assert await rotated.decode([old, new]) == [_payload(), _payload()]
    with pytest.raises(KeyUnknown, match="key_unknown"):
        await _codec("c1", c1=OLD).decode([new])


@pytest.mark.parametrize("at", [0, 12, -1])
async def test_altered_payload_is_refused(at: int) -> None:
    codec = _codec()
    (sealed,) = await codec.encode([_payload()])
    data = bytearray(sealed.data)
    data[at] ^= 1
    with pytest.raises(ValueError, match="altered"):
        await codec.decode([Payload(metadata=sealed.metadata, data=bytes(data))])


async def test_payload_under_the_name_of_another_key_is_refused() -> None:
    codec = _codec("c1", c1=OLD, c2=OLD)
    (sealed,) = await codec.encode([_payload()])
    sealed.metadata["hetao-key-id"] = b"c2"
    with pytest.raises(ValueError, match="altered"):
        await codec.decode([sealed])


async def test_a_payload_that_is_not_encrypted_is_shown_to_a_reader_and_not_taken() -> None:
    assert _codec().open_all([_payload()]) == [_payload()]
    with pytest.raises(ValueError, match="not encrypted"):
        await _codec().decode([_payload()])


async def test_converter_seals_values_and_failures() -> None:
    converter = data_converter(Keyring.parse(generate()))
    (payload,) = await converter.encode([Course(stage=Stage.RECEIVED, wake_for=WORDS)])
    assert WORDS.encode() not in payload.SerializeToString()
    (course,) = await converter.decode([payload], [Course])
    assert course.wake_for == WORDS


async def test_failure_message_and_trace_do_not_stand_in_clear() -> None:
    converter = data_converter(Keyring.parse(generate()))
    failure = await _failure(converter)
    assert WORDS not in str(failure)
    assert failure.message == "Encoded failure"
    error = await converter.decode_failure(failure)
    assert WORDS in str(error)


async def test_default_failures_would_stand_in_clear() -> None:
    # What the encoding converter is there for.
    failure = await _failure(dataclasses.replace(DataConverter.default, payload_codec=_codec()))
    assert WORDS in str(failure)


async def _failure(converter: DataConverter) -> Failure:
    failure = Failure()
    try:
        raise ApplicationError(WORDS, type="unavailable")
    except ApplicationError as error:
        await converter.encode_failure(error, failure)
    return failure
