locals {
  # As schemas/bigquery/tables.py has it, which also says why.
  tables = {
    alerts       = { partition = "timestamp", clustering = ["tenant_id", "service_id"] }
    dead_letters = { partition = "found_at", clustering = ["run_key", "source", "reason"] }
    verdicts     = { partition = "hour_start", clustering = ["tenant", "service"] }
    summaries    = { partition = "first_day", clustering = ["run_key"] }
  }
}

resource "google_bigquery_dataset" "found" {
  #checkov:skip=CKV_GCP_81:kms_key is the operator's choice: without it Google's own keys encrypt
  project     = var.project
  dataset_id  = "uncommon_im"
  location    = var.region
  description = "What uncommon-im found: alerts, dead letters, verdicts, summaries of runs"

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  depends_on = [google_project_service.data, google_kms_crypto_key_iam_member.services]
}

resource "google_bigquery_table" "this" {
  #checkov:skip=CKV_GCP_80:the dataset's default key is theirs
  for_each = local.tables

  project             = var.project
  dataset_id          = google_bigquery_dataset.found.dataset_id
  table_id            = each.key
  schema              = file("${path.module}/../../schemas/bigquery/${each.key}.json")
  clustering          = each.value.clustering
  deletion_protection = true

  time_partitioning {
    type  = "DAY"
    field = each.value.partition
  }
}
