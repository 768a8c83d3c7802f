"""The options of files as a source: which are read, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import MOST_DAYS, Whole, file_name
from uncommon_im.pipeline.sources.files.content import AUTO, COMPRESSIONS, FILE_TYPES, ContentOptions
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.pipeline.storage.bad_files import FAIL, BadFilePolicy, OnBadFile
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.decode import formats

if TYPE_CHECKING:
    from uncommon_im.pipeline.configuration.configuration import Configuration


@dataclass(frozen=True)
class FormatOptions(Options, title="input"):
    """How records are read."""

    format: str = option(
        "The format of records. `auto` finds it out record by record.", "auto", choices=tuple(formats(load_mappings()))
    )
    keep_host_domain: bool = option(
        "Keep the domain where host ids are computer names: host.example.org instead of host.",
        False,
    )
    compression: str = option(
        "How files are compressed. `auto` finds it out from their first bytes.", AUTO, choices=(AUTO, *COMPRESSIONS)
    )
    file_type: str = option(
        "What files hold. `auto` finds it out from their first bytes. Of a zip file this is said of all its members.",
        AUTO,
        choices=(AUTO, *FILE_TYPES),
    )

    def reading(self, policy: BadFilePolicy = FAIL) -> JsonOptions:
        """How records are read, and what becomes of files that are cut or damaged."""
        content = ContentOptions(self.compression, self.file_type)
        return JsonOptions(self.format, self.keep_host_domain, policy, content)


@dataclass(frozen=True, kw_only=True)
class FileOptions(Options, title="input"):
    """Which files are read."""

    input: tuple[str, ...] = option(
        "Files of this machine, or on gs://, s3://, az://, abfs:// and whatever else Beam knows. {date} stands for "
        "each day that the run needs, as 2026-03-01; other forms are {date:%Y%m%d} and {date:%Y}/{date:%m}/{date:%d}.",
        (),
        "GLOB",
    )
    records: FormatOptions
    partition_slack_days: int = option(
        "How many later partitions are read too. This is for input whose {date} is the day of ingestion: late "
        "records are in later partitions.",
        0,
        parse=Whole(0, MOST_DAYS),
    )
    require_marker: str | None = option(
        "Stop unless every input folder holds this file, such as _SUCCESS.", metavar="NAME", parse=file_name
    )
    on_bad_file: OnBadFile = option(
        "What to do with a file that is cut or damaged. `fail` ends the run. `skip` reads what can be read of it.",
        "fail",
        choices=("fail", "skip"),
    )

    @property
    def reading(self) -> JsonOptions:
        """How lines are read."""
        return self.records.reading(BadFilePolicy(self.on_bad_file))

    def find(self, configuration: Configuration) -> list[InputFile]:
        """The files that match.

        Raises:
            ConfigurationError: there are none, or a folder is not complete.
        """
        from uncommon_im.pipeline.sources.files.partitions import Partitions, find_files

        require(self.input, "nothing to read: --input says which files")
        for path in self.input:
            require(
                not path.startswith(TABLE_SCHEME),
                f"--input {path}: only backfill and snapshot read tables: export it to Parquet",
            )
        partitions = Partitions(self.partition_slack_days, self.require_marker)
        return find_files(list(self.input), configuration.input_days, partitions)
