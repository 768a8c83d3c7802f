"""Looks the packages of the locks up in OSV's database of vulnerabilities, with osv-scanner: `make audit`.

The database comes whole, so nobody learns which packages were looked up. Where its server cannot be reached, the copy
of an earlier audit counts, or one that somebody put there. Exit status 0: nothing is known against any package;
1: something is; 2: it was not audited.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

LOCKS: Final = tuple(Path(__file__).with_name(name) for name in ("requirements.lock", "build.lock"))
KNOWN_BAD: Final = "pyyaml==5.3"
"""Known to be vulnerable since 2020: a database that does not know it is none."""
NOTHING, FOUND, NOT_AUDITED = 0, 1, 2
_SCANNER_FOUND: Final = 1


@dataclass(frozen=True)
class Scanner:
    """osv-scanner with a folder of databases.

    Args:
        program: where osv-scanner is.
        folder: where it keeps databases.
    """

    program: str
    folder: Path

    @property
    def database(self) -> Path:
        """The database of Python's packages, where osv-scanner looks for it."""
        return self.folder / "osv-scalibr" / "PyPI" / "all.zip"

    @property
    def version(self) -> str:
        """What it calls itself."""
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout
        return said.partition("\n")[0].replace(" version:", "")

    def scan(self, *locks: Path, refresh: bool = False) -> subprocess.CompletedProcess[str]:
        """Looks up what the locks name; `refresh`: in today's database."""
        command = [self.program, "scan", "source", "--local-db-path", str(self.folder)]
        command += ["--offline-vulnerabilities", "--download-offline-databases"] if refresh else ["--offline"]
        command += [word for lock in locks for word in ("--lockfile", f"requirements.txt:{lock}")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def knows(self, refresh: bool = False) -> bool:
        """Whether the database finds what everybody knows: osv-scanner takes an empty one for good news."""
        with tempfile.TemporaryDirectory() as folder:
            lock = Path(folder) / "requirements.txt"
            lock.write_text(f"{KNOWN_BAD}\n")
            return self.scan(lock, refresh=refresh).returncode == _SCANNER_FOUND


def age_of(database: Path) -> str:
    """How many records a database has, and when the newest of them was written, in words."""
    with ZipFile(database) as records:
        written = [json.loads(records.read(name)).get("modified", "") for name in records.namelist()]
    return f"{len(written):,} records, the newest of {max(written)[:10]}"


def audit(scanner: Scanner) -> int:
    """Prints what is known against the locked packages, by today's database if it can be had; gives the exit status."""
    fresh = scanner.knows(refresh=True)
    if not fresh and not scanner.knows():
        print(f"Not audited: OSV's server cannot be reached, and there is no whole database at {scanner.database}")
        return NOT_AUDITED
    return scanned(scanner, fresh)


def scanned(scanner: Scanner, fresh: bool) -> int:
    """Prints what the scanner finds in its database; gives the exit status."""
    packages = sum(len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE)) for lock in LOCKS)
    try:
        source = f"{'' if fresh else 'an earlier copy of '}OSV's database of PyPI ({age_of(scanner.database)})"
    except (BadZipFile, ValueError, OSError) as error:
        print(f"Not audited: {scanner.database} cannot be read: {error}")
        return NOT_AUDITED
    found = scanner.scan(*LOCKS)
    if found.returncode == NOTHING:
        print(f"{scanner.version}: nothing is known against the {packages} locked packages, by {source}")
        return NOTHING
    print(found.stdout + found.stderr)
    if found.returncode != _SCANNER_FOUND:
        print(f"Not audited: {scanner.version} ended with status {found.returncode}")
        return NOT_AUDITED
    print(f"{scanner.version}: some of the {packages} locked packages are vulnerable, by {source}")
    return FOUND


def main(arguments: list[str] | None = None) -> int:
    """Runs what the arguments say; gives the exit status."""
    parser = argparse.ArgumentParser(prog="audit.py", description="what is known against the locked packages")
    parser.add_argument("--scanner", default="osv-scanner", help="where osv-scanner is (on the path)")
    parser.add_argument("--database", type=Path, required=True, help="folder that keeps the database")
    parser.add_argument("--unreachable", choices=("fail", "pass"), default="fail", help="without any database (fail)")
    given = parser.parse_args(arguments)
    status = audit(Scanner(given.scanner, given.database))
    return NOTHING if status == NOT_AUDITED and given.unreachable == "pass" else status


if __name__ == "__main__":
    sys.exit(main())
