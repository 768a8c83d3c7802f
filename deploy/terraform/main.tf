locals {
  jobs_project = coalesce(var.jobs_project, var.project)

  services = {
    data = ["bigquery.googleapis.com", "pubsub.googleapis.com", "storage.googleapis.com"]
    jobs = [
      "artifactregistry.googleapis.com", "bigquery.googleapis.com", "bigquerystorage.googleapis.com",
      "cloudbuild.googleapis.com", "compute.googleapis.com", "dataflow.googleapis.com", "logging.googleapis.com",
      "monitoring.googleapis.com", "pubsub.googleapis.com", "storage.googleapis.com",
    ]
  }
}

data "google_project" "data" {
  project_id = var.project
}

data "google_project" "jobs" {
  project_id = local.jobs_project
}

resource "google_project_service" "data" {
  for_each = toset(local.services.data)

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

resource "google_project_service" "jobs" {
  for_each = toset(local.services.jobs)

  project            = local.jobs_project
  service            = each.value
  disable_on_destroy = false
}

resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:kms_key is the operator's choice; the images hold no data
  project       = local.jobs_project
  location      = var.region
  repository_id = "uncommon-im"
  format        = "DOCKER"
  kms_key_name  = var.kms_key

  docker_config {
    immutable_tags = true
  }

  depends_on = [google_project_service.jobs, google_kms_crypto_key_iam_member.services]
}
