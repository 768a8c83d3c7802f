"""What the Terraform files say, read by `python-hcl2`: references, permissions, retention, tables, encryption.

Providers cannot be had everywhere, so `terraform validate` is no part of this; `make test-deploy` runs checkov.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.deploy.terraform import FOLDER, blocks, defaults, listed, local, resources, texts, unquoted
from uncommon_im.schemas.bigquery.tables import TABLES

WORKER = "${google_service_account.worker.member}"
SCRIPTS = FOLDER.parent / "dataflow"


def declared() -> set[str]:
    """All that can be referred to."""
    names = {
        f"{prefix}{unquoted(kind)}.{unquoted(name)}"
        for block, prefix in (("resource", ""), ("data", "data."))
        for listed_block in blocks()[block]
        for kind, named in listed_block.items()
        for name in named
    }
    names |= {f"var.{unquoted(name)}" for listed_block in blocks()["variable"] for name in listed_block}
    return names | {f"local.{name}" for listed_block in blocks()["locals"] for name in listed_block}


def references(text: str) -> set[str]:
    """All that a text refers to, comments left out."""
    text = re.sub(r'"#.*|^\s*#.*$', "", text, flags=re.MULTILINE)
    return set(re.findall(r"\b((?:data\.)?(?:var|local|google_\w+)\.\w+)", text))


def test_every_reference_is_to_something_that_is_declared_and_every_variable_is_used() -> None:
    text = "\n".join(path.read_text() for path in FOLDER.glob("*.tf"))
    assert not references(text) - declared()
    assert not {name for name in declared() if name.startswith(("var.", "local."))} - references(text)
    wrong = references("a = var.projects, b = google_pubsub_topic.these.id, c = local.jobs_project")
    assert wrong - declared() == {"var.projects", "google_pubsub_topic.these"}


def test_the_worker_has_no_predefined_role_on_a_project_and_its_own_role_reaches_no_data() -> None:
    bound = {name: body for name, body in resources("google_project_iam_member").items() if body["member"] == WORKER}
    assert {name: (body["role"], body["project"]) for name, body in bound.items()} == {
        "worker": ("${google_project_iam_custom_role.worker.id}", "${local.jobs_project}")
    }
    permissions = listed(resources("google_project_iam_custom_role")["worker"]["permissions"])
    assert "dataflow.workItems.lease" in permissions
    services = {permission.split(".")[0] for permission in permissions}
    assert services == {"autoscaling", "bigquery", "dataflow", "logging", "monitoring"}
    of_bigquery = {permission for permission in permissions if permission.startswith("bigquery.")}
    assert all(permission.split(".")[1] in ("jobs", "readsessions") for permission in of_bigquery)
    assert defaults()["more_worker_permissions"] == "[]"


def test_nobody_is_bound_to_a_basic_or_administrators_role() -> None:
    roles = set(re.findall(r"roles/[\w.]+", "\n".join(path.read_text() for path in FOLDER.glob("*.tf"))))
    assert "roles/pubsub.subscriber" in roles
    assert not {role for role in roles if re.search(r"/(owner|editor|viewer)$|[aA]dmin$", role)}
    assert not {name for name in declared() if "_iam_binding." in name or "_iam_policy." in name}


def test_subscriptions_that_the_stream_reads_keep_what_restart_takes_back() -> None:
    subscription = resources("google_pubsub_subscription")["this"]
    assert local("topics") == ["events", "notifications", "alerts"]
    assert subscription["retain_acked_messages"] in (True, "true")
    days = re.search(r"^KEPT_DAYS=(\d+)$", (SCRIPTS / "restart.sh").read_text(), re.MULTILINE)
    assert days
    assert subscription["message_retention_duration"] == f"{int(days[1]) * 86_400}s"


def test_what_cannot_be_delivered_goes_to_a_topic_that_keeps_it_and_to_which_pubsub_may_publish() -> None:
    (policy,) = resources("google_pubsub_subscription")["this"]["dead_letter_policy"]
    assert policy["dead_letter_topic"] == '${google_pubsub_topic.this["undelivered"].id}'
    kept = resources("google_pubsub_subscription")["undelivered"]
    assert kept["topic"] == policy["dead_letter_topic"]
    publishes = resources("google_pubsub_topic_iam_member")["agent_publishes"]
    acknowledges = resources("google_pubsub_subscription_iam_member")["agent_acknowledges"]
    assert (publishes["role"], acknowledges["role"]) == ("roles/pubsub.publisher", "roles/pubsub.subscriber")
    assert publishes["member"] == acknowledges["member"] == "${local.pubsub_agent}"


def test_tables_are_those_that_the_code_writes_to() -> None:
    expected = {
        name: {"partition": table.partition, "clustering": list(table.clustering)} for name, table in TABLES.items()
    }
    assert local("tables") == expected
    schema = resources("google_bigquery_table")["this"]["schema"]
    assert "../../schemas/bigquery/${each.key}.json" in schema
    for name in expected:
        assert (FOLDER.parents[1] / "schemas" / "bigquery" / f"{name}.json").exists()


def test_no_bucket_can_be_public_and_no_machine_has_an_address_of_its_own() -> None:
    for bucket in resources("google_storage_bucket").values():
        assert bucket["public_access_prevention"] == "enforced"
        assert bucket["uniform_bucket_level_access"] in (True, "true")
    subnetwork = resources("google_compute_subnetwork")["jobs"]
    assert subnetwork["private_ip_google_access"] in (True, "true")
    assert "--disable-public-ips" in (SCRIPTS / "common.sh").read_text()
    (rule,) = resources("google_compute_firewall").values()
    assert rule["source_tags"] == rule["target_tags"] == ["dataflow"]
    assert "source_ranges" not in rule


def test_the_key_of_the_operator_encrypts_all_that_keeps_something() -> None:
    keeping = ("google_pubsub_topic", "google_bigquery_dataset", "google_storage_bucket")
    for kind in (*keeping, "google_artifact_registry_repository"):
        for name, body in resources(kind).items():
            assert any("var.kms_key" in text for text in texts(body)), f"{kind}.{name}"


def test_settings_hold_what_the_scripts_ask_for() -> None:
    (output,) = (body for block in blocks()["output"] for name, body in block.items() if unquoted(name) == "settings")
    given = set(re.findall(r"\b([A-Z][A-Z_]+)\b\s*=", str(output["value"])))
    common = (SCRIPTS / "common.sh").read_text()
    (needed,) = re.findall(r"for key in ([A-Z_ ]+); do", common)
    asked = set(re.findall(r"setting\[([A-Z_]+)\]", "".join(path.read_text() for path in SCRIPTS.glob("*.sh"))))
    assert set(needed.split()) <= given
    assert asked <= given
    assert given <= asked


def test_nothing_that_is_committed_holds_a_secret() -> None:
    suspicious = re.compile(r"-----BEGIN|\bAIza[\w-]{30}|\bya29\.|private_key|client_secret|password\s*=\s*\S")
    for path in (Path(p) for p in FOLDER.parent.rglob("*") if p.is_file() and ".terraform" not in p.parts):
        found = suspicious.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found}"
