# Who may do what. Roles are bound to the resources that they are for. What Dataflow and BigQuery only check on a project
# is bound to the project of the jobs, by roles of our own that hold nothing else: see docs/operations/deploy.md, "Permissions".

resource "google_service_account" "worker" {
  project      = local.jobs_project
  account_id   = "uncommon-im-worker"
  display_name = "uncommon-im: launchers of templates, and workers"
}

resource "google_service_account" "builder" {
  project      = local.jobs_project
  account_id   = "uncommon-im-builder"
  display_name = "uncommon-im: builds the image and the templates"
}

# roles/dataflow.worker without storage.* (bound to buckets below) and compute.* (any machine of the project).
resource "google_project_iam_custom_role" "worker" {
  project     = local.jobs_project
  role_id     = "uncommonImWorker"
  title       = "uncommon-im worker"
  description = "To take work from Dataflow, to log and measure, and to run jobs of BigQuery; no data"
  permissions = concat([
    "autoscaling.sites.readRecommendations",
    "autoscaling.sites.writeMetrics",
    "autoscaling.sites.writeState",
    "bigquery.jobs.create",
    "bigquery.readsessions.create",
    "bigquery.readsessions.getData",
    "bigquery.readsessions.update",
    "dataflow.jobs.get",
    "dataflow.shuffle.read",
    "dataflow.shuffle.write",
    "dataflow.streamingWorkItems.ImportState",
    "dataflow.streamingWorkItems.commitWork",
    "dataflow.streamingWorkItems.getData",
    "dataflow.streamingWorkItems.getWork",
    "dataflow.streamingWorkItems.getWorkerMetadata",
    "dataflow.workItems.lease",
    "dataflow.workItems.sendMessage",
    "dataflow.workItems.update",
    "logging.logEntries.create",
    "logging.logEntries.route",
    "monitoring.timeSeries.create",
  ], var.more_worker_permissions)
}

resource "google_project_iam_member" "worker" {
  project = local.jobs_project
  role    = google_project_iam_custom_role.worker.id
  member  = google_service_account.worker.member
}

# A template's launcher starts workers that are the same account as itself.
resource "google_service_account_iam_member" "worker_is_itself" {
  service_account_id = google_service_account.worker.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.worker.member
}

resource "google_pubsub_subscription_iam_member" "worker_reads" {
  for_each = {
    for pair in setproduct(["events", "notifications"], ["roles/pubsub.subscriber", "roles/pubsub.viewer"]) :
    join(" ", pair) => { subscription = pair[0], role = pair[1] }
  }

  project      = var.project
  subscription = google_pubsub_subscription.this[each.value.subscription].name
  role         = each.value.role
  member       = google_service_account.worker.member
}

resource "google_pubsub_topic_iam_member" "worker_publishes" {
  for_each = toset(["roles/pubsub.publisher", "roles/pubsub.viewer"])

  project = var.project
  topic   = google_pubsub_topic.this["alerts"].name
  role    = each.value
  member  = google_service_account.worker.member
}

resource "google_bigquery_dataset_iam_member" "worker_writes" {
  project    = var.project
  dataset_id = google_bigquery_dataset.found.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.worker.member
}

resource "google_bigquery_dataset_iam_member" "worker_reads" {
  for_each = toset(var.lake_datasets)

  project    = var.project
  dataset_id = each.value
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.worker.member
}

# legacyBucketReader: Beam asks for a bucket's own properties before it uses it.
resource "google_storage_bucket_iam_member" "worker_writes" {
  for_each = {
    for pair in setproduct(["data", "temp"], ["roles/storage.objectUser", "roles/storage.legacyBucketReader"]) :
    join(" ", pair) => { bucket = pair[0], role = pair[1] }
  }

  bucket = { data = google_storage_bucket.data.name, temp = google_storage_bucket.temp.name }[each.value.bucket]
  role   = each.value.role
  member = google_service_account.worker.member
}

resource "google_storage_bucket_iam_member" "worker_reads" {
  for_each = {
    for pair in setproduct(var.lake_buckets, ["roles/storage.objectViewer", "roles/storage.legacyBucketReader"]) :
    join(" ", pair) => { bucket = pair[0], role = pair[1] }
  }

  bucket = each.value.bucket
  role   = each.value.role
  member = google_service_account.worker.member
}

resource "google_artifact_registry_repository_iam_member" "worker_pulls" {
  project    = local.jobs_project
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.worker.member
}

# The builder: pushes images, writes templates, logs.
resource "google_artifact_registry_repository_iam_member" "builder_pushes" {
  project    = local.jobs_project
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

resource "google_storage_bucket_iam_member" "builder_writes_templates" {
  for_each = toset(["roles/storage.objectUser", "roles/storage.legacyBucketReader"])

  bucket = google_storage_bucket.temp.name
  role   = each.value
  member = google_service_account.builder.member
}

resource "google_project_iam_custom_role" "builder" {
  project     = local.jobs_project
  role_id     = "uncommonImBuilder"
  title       = "uncommon-im builder"
  permissions = ["logging.logEntries.create"]
}

resource "google_project_iam_member" "builder_logs" {
  project = local.jobs_project
  role    = google_project_iam_custom_role.builder.id
  member  = google_service_account.builder.member
}

# Operators: launch jobs as the worker, take subscriptions back, take snapshots, ask BigQuery and the logs what the
# runbook asks. They build as the builder.
resource "google_project_iam_member" "operators" {
  #checkov:skip=CKV_GCP_49:jobs run as an account, and of accounts operators may act as the two below only
  for_each = {
    for pair in setproduct(
      ["roles/bigquery.jobUser", "roles/dataflow.developer", "roles/logging.viewer", "roles/monitoring.viewer"],
      var.operators,
    ) : join(" ", pair) => { role = pair[0], member = pair[1] }
  }

  project = local.jobs_project
  role    = each.value.role
  member  = each.value.member
}

resource "google_service_account_iam_member" "operators_act" {
  for_each = {
    for pair in setproduct(["worker", "builder"], var.operators) :
    join(" ", pair) => { account = pair[0], member = pair[1] }
  }

  service_account_id = {
    worker  = google_service_account.worker.name
    builder = google_service_account.builder.name
  }[each.value.account]
  role   = "roles/iam.serviceAccountUser"
  member = each.value.member
}

resource "google_pubsub_subscription_iam_member" "operators_seek" {
  for_each = {
    for pair in setproduct(["events", "notifications"], var.operators) :
    join(" ", pair) => { subscription = pair[0], member = pair[1] }
  }

  project      = var.project
  subscription = google_pubsub_subscription.this[each.value.subscription].name
  role         = "roles/pubsub.subscriber"
  member       = each.value.member
}

resource "google_storage_bucket_iam_member" "operators" {
  for_each = {
    for pair in setproduct(["data", "temp"], var.operators) :
    join(" ", pair) => { bucket = pair[0], member = pair[1] }
  }

  bucket = { data = google_storage_bucket.data.name, temp = google_storage_bucket.temp.name }[each.value.bucket]
  role   = "roles/storage.objectUser"
  member = each.value.member
}

resource "google_bigquery_dataset_iam_member" "readers" {
  for_each = toset(concat(var.operators, var.alert_readers))

  project    = var.project
  dataset_id = google_bigquery_dataset.found.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value
}
