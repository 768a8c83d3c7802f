"""Fuzzes one target until its time is over or it fails: `python -m tests.fuzzing.fuzz TARGET [libFuzzer's options]`.

Inputs that are given as files are run once each, which is how a failure is looked at again.
"""

from __future__ import annotations

import os
import sys
import tempfile
from random import Random

OURS = ["uncommon_im"]
"""Packages whose branches guide the fuzzer."""


def main(arguments: list[str]) -> None:
    """Does not return: the engine ends the process."""
    # Memory that Arrow's other pools keep for later is no memory that an input needed. It asks when it is loaded.
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    import atheris
    import pyarrow as pa

    with atheris.instrument_imports(include=OURS, enable_loader_override=False):
        from tests.fuzzing.mutators import MUTATORS
        from tests.fuzzing.targets import TARGETS

    name, *options = arguments
    target, mutator = TARGETS[name], MUTATORS[name]
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        return mutator.mutate(data, size, Random(seed), atheris.Mutate)

    limits = ["-timeout=10", "-rss_limit_mb=1024", f"-max_len={mutator.longest}"]
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as dictionary:
        if mutator.words:
            dictionary.writelines(f'"{_escaped(word)}"\n' for word in mutator.words)
            dictionary.flush()
            limits.append(f"-dict={dictionary.name}")
        atheris.Setup([sys.argv[0], *limits, *options], target, custom_mutator=mutate)
        atheris.Fuzz()


def _escaped(word: str) -> str:
    """A word as libFuzzer's dictionaries write it."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02X}" for byte in word.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
