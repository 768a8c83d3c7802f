# /// script
# requires-python = ">=3.11"
# dependencies = ["cyclonedx-bom>=7.5,<8", "packaging>=24,<27"]
# ///
"""The software bill of materials of the locks, in CycloneDX's form: `make sbom`.

`sbom.py PYTHON` writes it of an environment that holds what the locks name and nothing else: what `cyclonedx-py` says
of it, without links to pages, and with this project as the root, above what setup.py asks for. The same packages give
the same bytes. `sbom.py` alone reads a bill from standard input and writes it again: a whole one stays as it is.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

LOCK: Final = Path(__file__).with_name("requirements.lock")
ROOT: Final = {
    "bom-ref": "uncommon-im",
    "licenses": [{"license": {"acknowledgement": "declared", "id": "Apache-2.0"}}],
    "name": "uncommon-im",
    "type": "application",
}


def without_links(value: Any) -> Any:
    """A JSON value without links to pages, at any depth."""
    if isinstance(value, dict):
        return {key: without_links(each) for key, each in value.items() if key != "externalReferences"}
    return [without_links(each) for each in value] if isinstance(value, list) else value


def asked_for() -> set[str]:
    """The packages that setup.py asks for, as the lock says."""
    entries = re.split(r"^(?=\w)", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {entry.partition("==")[0] for entry in entries if "uncommon-im (setup.py)" in entry}


def bill_of(environment: Any) -> str:
    """The bill as text.

    Args:
        environment: what `cyclonedx-py environment` gives, or such a bill.

    Raises:
        ValueError: the bill would not be what CycloneDX asks for.
    """
    bill = without_links(environment)
    direct = asked_for()
    below = [each["bom-ref"] for each in bill["components"] if canonicalize_name(each["name"]) in direct]
    others = [each for each in bill["dependencies"] if each["ref"] != ROOT["bom-ref"]]
    bill["metadata"]["component"] = ROOT
    bill["dependencies"] = [{"dependsOn": below, "ref": ROOT["bom-ref"]}, *others]
    text = json.dumps(bill, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong:
        raise ValueError(f"not valid CycloneDX 1.6: {wrong}")
    return text


def environment_of(python: str) -> Any:
    """What `cyclonedx-py` says of the environment of an interpreter."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", python]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


if __name__ == "__main__":
    sys.stdout.write(bill_of(environment_of(sys.argv[1]) if sys.argv[1:] else json.load(sys.stdin)))
