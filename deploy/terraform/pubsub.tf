locals {
  topics = ["events", "notifications", "alerts"]

  # Pub/Sub publishes to the dead letters' topic, and acknowledges what it has moved there.
  pubsub_agent = "serviceAccount:service-${data.google_project.data.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "this" {
  #checkov:skip=CKV_GCP_83:kms_key is the operator's choice: without it Google's own keys encrypt
  for_each = toset(concat(local.topics, ["undelivered"]))

  project      = var.project
  name         = "uncommon-im-${each.value}"
  kms_key_name = var.kms_key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.data, google_kms_crypto_key_iam_member.services]
}

# Acknowledged messages stay for three days, so that a restarted stream reads again what its snapshot does not hold.
resource "google_pubsub_subscription" "this" {
  for_each = toset(local.topics)

  project                    = var.project
  name                       = "uncommon-im-${each.value}"
  topic                      = google_pubsub_topic.this[each.value].id
  ack_deadline_seconds       = 600
  retain_acked_messages      = true
  message_retention_duration = "259200s"
  # Alerts are published with their tenant as ordering key; events have none, and ordering would only cost.
  enable_message_ordering = each.value == "alerts"

  expiration_policy {
    ttl = "" # never: a subscription that nobody reads for a month is an incident, not rubbish
  }

  # The stream acknowledges whatever a message holds, so this is for messages that no worker survives. Google lists it
  # among what Dataflow does not support (https://cloud.google.com/pubsub/docs/handling-failures): a message counts as
  # tried whenever its deadline passes, for whatever reason. Hence as many attempts as Pub/Sub lets one ask for.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.this["undelivered"].id
    max_delivery_attempts = 100
  }

  depends_on = [google_pubsub_topic_iam_member.agent_publishes]
}

# Without a subscription of its own the topic would lose what it is given.
resource "google_pubsub_subscription" "undelivered" {
  project                    = var.project
  name                       = "uncommon-im-undelivered"
  topic                      = google_pubsub_topic.this["undelivered"].id
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "agent_publishes" {
  project = var.project
  topic   = google_pubsub_topic.this["undelivered"].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges" {
  for_each = google_pubsub_subscription.this

  project      = var.project
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "publishers" {
  for_each = toset(var.publishers)

  project = var.project
  topic   = google_pubsub_topic.this["events"].name
  role    = "roles/pubsub.publisher"
  member  = each.value
}

resource "google_pubsub_subscription_iam_member" "alert_readers" {
  for_each = toset(var.alert_readers)

  project      = var.project
  subscription = google_pubsub_subscription.this["alerts"].name
  role         = "roles/pubsub.subscriber"
  member       = each.value
}

data "google_storage_project_service_account" "data" {
  project = var.project
}

resource "google_pubsub_topic_iam_member" "storage_notifies" {
  project = var.project
  topic   = google_pubsub_topic.this["notifications"].name
  role    = "roles/pubsub.publisher"
  member  = data.google_storage_project_service_account.data.member
}

resource "google_storage_notification" "lake" {
  for_each = toset(var.notifying_buckets)

  bucket         = each.value
  topic          = google_pubsub_topic.this["notifications"].id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE"]

  depends_on = [google_pubsub_topic_iam_member.storage_notifies]
}
