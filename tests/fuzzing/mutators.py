"""For each target how its inputs are changed, from what it begins, and which words it should know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from tests.fuzzing.container_mutation import CONTAINERS, PIECES, mutate_container, seed_of
from tests.fuzzing.line_mutation import Bytewise, mutate_file, mutate_lines, pack
from tests.fuzzing.parquet_mutation import mutate_parquet, random_file
from tests.fuzzing.vocabulary import Vocabulary, line, native_vocabulary, vendor_vocabulary, words
from uncommon_im.schemas.mapping import load_mappings

Mutate = Callable[[bytes, int, Random, Bytewise], bytes]
"""(input, most bytes, randomness, the engine's own mutation) -> another input."""


@dataclass(frozen=True)
class Mutator:
    """How a target is fuzzed.

    Args:
        mutate: makes an input of another.
        seed: makes an input of nothing.
        words: texts that byte-wise mutation may put into inputs.
        longest: bytes of the longest input: short ones are quick, and find as much.
    """

    mutate: Mutate
    seed: Callable[[Random], bytes]
    words: tuple[str, ...] = ()
    longest: int = 8192


def _of_lines(vocabulary: Vocabulary) -> Mutator:
    return Mutator(
        lambda data, size, random, bytewise: mutate_lines(data, size, random, bytewise, vocabulary),
        lambda random: _lines(random, vocabulary),
        tuple(words(vocabulary)),
    )


def _lines(random: Random, vocabulary: Vocabulary) -> bytes:
    return b"\n".join(line(random, vocabulary) for _ in range(random.choice((1, 2, 4))))


def _of_container(name: str, vocabulary: Vocabulary) -> Mutator:
    pieces = PIECES.get(name, ())
    return Mutator(
        lambda data, size, random, bytewise: mutate_container(data, size, random, bytewise, pieces),
        lambda random: seed_of(name, random, vocabulary),
        longest=1 << 17 if name == "event_log" else 1 << 15,
    )


def _mixed_vocabulary() -> Vocabulary:
    """Of all formats at once, as files that are read with `--format auto` may hold them."""
    mixed = native_vocabulary()
    for mapping in load_mappings():
        vendor = vendor_vocabulary(mapping)
        mixed.fields.update(vendor.fields)
        mixed.kinds += vendor.kinds
        mixed.nested += vendor.nested
    return mixed


def _packed_lines(random: Random, vocabulary: Vocabulary) -> bytes:
    kind = random.randrange(3)
    return bytes((kind,)) + pack(_lines(random, vocabulary), kind, random)


def mutators() -> dict[str, Mutator]:
    """Target -> how it is fuzzed."""
    mixed = _mixed_vocabulary()
    return {
        "native": _of_lines(native_vocabulary()),
        **{mapping.id: _of_lines(vendor_vocabulary(mapping)) for mapping in load_mappings()},
        "parquet": Mutator(mutate_parquet, random_file, longest=1 << 15),
        **{name: _of_container(name, mixed) for name in CONTAINERS},
        "lines": Mutator(
            lambda data, size, random, bytewise: mutate_file(data, size, random, bytewise, mixed),
            partial(_packed_lines, vocabulary=mixed),
        ),
    }


MUTATORS: Final = mutators()
