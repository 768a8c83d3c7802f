output "settings" {
  description = "What the scripts in deploy/dataflow need: terraform output -raw settings > deploy/settings.env"
  value = join("", [
    for key, value in {
      PROJECT         = local.jobs_project
      REGION          = var.region
      IMAGE           = "${var.region}-docker.pkg.dev/${local.jobs_project}/uncommon-im/uncommon-im:${var.revision}"
      TEMPLATES       = "gs://${google_storage_bucket.temp.name}/templates"
      TEMP            = "gs://${google_storage_bucket.temp.name}"
      SERVICE_ACCOUNT = google_service_account.worker.email
      SUBNETWORK      = google_compute_subnetwork.jobs.self_link
      MACHINE_TYPE    = var.machine_type
      MAX_WORKERS     = tostring(var.max_workers)
      KMS_KEY         = var.kms_key
    } : "${key}=${value}\n" if value != null
  ])
}

output "parameters" {
  description = "Names that parameters of the templates take"
  value = {
    pubsub_subscription        = google_pubsub_subscription.this["events"].id
    notifications_subscription = google_pubsub_subscription.this["notifications"].id
    alerts_topic               = google_pubsub_topic.this["alerts"].id
    bigquery_output            = "${var.project}.${google_bigquery_dataset.found.dataset_id}"
    bucket                     = "gs://${google_storage_bucket.data.name}"
  }
}
