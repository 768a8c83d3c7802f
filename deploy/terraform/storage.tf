# What the jobs find and learn. Objects are replaced by reruns: versions let one look back.
resource "google_storage_bucket" "data" {
  #checkov:skip=CKV_GCP_62:who reads what is in the audit logs of Cloud Storage, which the organisation turns on for all
  project                     = var.project
  name                        = "${var.project}-uncommon-im"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.data, google_kms_crypto_key_iam_member.services]
}

# What the jobs are made of: templates, staged graphs, temporary files.
resource "google_storage_bucket" "temp" {
  #checkov:skip=CKV_GCP_62:it holds nothing that anybody needs to have read
  #checkov:skip=CKV_GCP_78:versions of temporary files serve nobody
  project                     = local.jobs_project
  name                        = "${local.jobs_project}-uncommon-im-temp"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # Only temp/: workers that a stream starts months later still read what was staged for it.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 14
      matches_prefix = ["temp/"]
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.jobs, google_kms_crypto_key_iam_member.services]
}
