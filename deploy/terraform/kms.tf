# Services that encrypt with the operator's key do it as agents of their own.
locals {
  agents = {
    dataflow         = "service-${data.google_project.jobs.number}@dataflow-service-producer-prod.iam.gserviceaccount.com"
    compute          = "service-${data.google_project.jobs.number}@compute-system.iam.gserviceaccount.com"
    artifactregistry = "service-${data.google_project.jobs.number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    storage_jobs     = "service-${data.google_project.jobs.number}@gs-project-accounts.iam.gserviceaccount.com"
    storage_data     = "service-${data.google_project.data.number}@gs-project-accounts.iam.gserviceaccount.com"
    pubsub           = "service-${data.google_project.data.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    bigquery         = "bq-${data.google_project.data.number}@bigquery-encryption.iam.gserviceaccount.com"
  }
}

resource "google_kms_crypto_key_iam_member" "services" {
  for_each = var.kms_key == null ? {} : local.agents

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"
}
