"""`uncommon-im export-query`: the query goes to standard output alone, and what is wrong is one line."""

from __future__ import annotations

import pytest

from uncommon_im.pipeline.cli.main import main
from uncommon_im.transforms.rules.exports.queries import DIALECTS


@pytest.mark.parametrize("name", DIALECTS)
def test_standard_output_has_the_query_and_standard_error_what_to_do_with_it(name: str, capsys) -> None:
    assert main(["export-query", "--for", name, "--start", "2026-03-01", "--end", "2026-03-02"]) == 0
    out, err = capsys.readouterr()
    assert "telegram[.]org" in out
    assert f"--format {DIALECTS[name].source.format}" in err
    assert "per host and day" in err


def test_services_of_the_users_own_are_in_the_query(tmp_path, capsys) -> None:
    services = tmp_path / "services.yaml"
    services.write_text(
        "format: 1\nservices:\n- {id: ours, name: Ours, category: enterprise, self_hosted: true, "
        "hosts: {suffix: [chat.acme.example]}}\n"
    )
    assert main(["export-query", "--for", "kql", "--services", str(services)]) == 0
    assert "chat[.]acme[.]example" in capsys.readouterr().out


def test_a_table_of_ones_own_and_one_without_a_column_are_asked_for(capsys) -> None:
    arguments = ["--table", "proj-1.data.raw", "--without", "tenant_id", "--without", "process_guid"]
    assert main(["export-query", "--for", "bigquery", *arguments]) == 0
    out, _ = capsys.readouterr()
    assert "FROM `proj-1.data.raw`" in out
    assert "tenant_id" not in out
    assert "process_guid" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--for", "sql"], "invalid choice"),
        (["--for", "bigquery", "--table", "a`b"], "--table"),
        (["--for", "athena", "--table", 'a"b'], "--table"),
        (["--for", "bigquery", "--without", "tenant"], "tenant_id"),
        (["--for", "bigquery", "--without", "remote_ip"], "no export without"),
        (["--for", "kql", "--start", "2026-03-02", "--end", "2026-03-01"], "--end"),
        ([], "--for"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: list[str], said: str, capsys) -> None:
    assert main(["export-query", *arguments]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert said in err
    assert err.count("\n") == 1
