# Each policy has its section in docs/operations/runbook.md, by its key. Counters of the code are gauges to Cloud
# Monitoring, one for each job and step: delta() is what they have grown by, and a new job begins at none.
locals {
  job      = "monitored_resource=\"dataflow_job\",job_name=\"${var.job}\""
  counter  = "dataflow_googleapis_com:job_user_counter{${local.job},metric_name"
  consumed = join("|", [for topic in ["events", "notifications"] : google_pubsub_subscription.this[topic].name])

  policies = {
    freshness = {
      title    = "The stream is behind"
      severity = "ERROR"
      query    = "max(dataflow_googleapis_com:job_data_watermark_age{${local.job}}) > ${var.lateness_seconds + 1200}"
      duration = "900s"
    }
    system-lag = {
      title    = "Something is stuck in the stream"
      severity = "ERROR"
      query    = "max(dataflow_googleapis_com:job_system_lag{${local.job}}) > 1200"
      duration = "900s"
    }
    backlog = {
      title    = "Messages wait"
      severity = "ERROR"
      query    = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${local.consumed}\"}) > 1800"
      duration = "600s"
    }
    failure = {
      title    = "A job has failed"
      severity = "CRITICAL"
      query    = "max by (job_name) (max_over_time(dataflow_googleapis_com:job_is_failed{monitored_resource=\"dataflow_job\",job_name=~\"${var.job}.*\"}[15m])) > 0"
      duration = "0s"
    }
    undelivered = {
      title    = "Messages that nobody could take"
      severity = "ERROR"
      query    = "max(pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=\"${google_pubsub_subscription.undelivered.name}\"}) > 0"
      duration = "0s"
    }
    dead-letters = {
      title    = "Many records cannot be used"
      severity = "WARNING"
      query    = "sum(delta(${local.counter}=~\"events[.]dead_letter[.].*\"}[1h])) / sum(delta(${local.counter}=\"events.read\"}[1h])) > 0.02"
      duration = "600s"
    }
    late-records = {
      title    = "Records come later than the stream waits"
      severity = "WARNING"
      query    = "sum(delta(${local.counter}=\"late.records\"}[6h])) / sum(delta(${local.counter}=\"events.valid\"}[6h])) > 0.001"
      duration = "1800s"
    }
    lost-objects = {
      title    = "Objects were gone or replaced before they were read"
      severity = "WARNING"
      query    = "sum(delta(${local.counter}=~\"notifications[.](missing|overwritten)\"}[1h])) > 0"
      duration = "0s"
    }
    refused-rows = {
      title    = "BigQuery refuses rows of the stream"
      severity = "ERROR"
      query    = "sum(delta(${local.counter}=\"bigquery.refused\"}[1h])) > 0"
      duration = "0s"
    }
    unsent-alerts = {
      title    = "Alerts were not taken by the system that they are sent to"
      severity = "ERROR"
      query    = "sum(delta(${local.counter}=\"delivery.spooled\"}[1h])) > 0"
      duration = "0s"
    }
    alert-flood = {
      title    = "Unusually many alerts"
      severity = "WARNING"
      query    = "sum(delta(${local.counter}=~\"alerts[.](base|suspicious_process|uncommon_scripting_engine)\"}[1h])) > ${var.alerts_an_hour}"
      duration = "0s"
    }
    silent-input = {
      title    = "The detector is silent: nothing comes in"
      severity = "CRITICAL"
      query    = "(sum(delta(${local.counter}=\"events.valid\"}[1h])) or vector(0)) < 1"
      duration = "1800s"
    }
    silent-verdicts = {
      title    = "The detector is silent: communications are seen, and none is judged"
      severity = "CRITICAL"
      query    = "(sum(delta(${local.counter}=\"communications\"}[6h])) > 100) and ((sum(delta(${local.counter}=~\"verdicts[.].*\"}[6h])) or vector(0)) < 1)"
      duration = "1800s"
    }
    silent-learning = {
      title    = "The detector is silent: all it does is learn"
      severity = "WARNING"
      query    = "(sum(delta(${local.counter}=~\"verdicts[.](learning|training)\"}[6h])) / sum(delta(${local.counter}=~\"verdicts[.].*\"}[6h]))) > 0.9"
      duration = "3600s"
    }
  }
}

# Policies are in the jobs' project; it has to see what Pub/Sub measures in that of the data.
resource "google_monitoring_monitored_project" "data" {
  count = local.jobs_project == var.project ? 0 : 1

  metrics_scope = local.jobs_project
  name          = var.project

  depends_on = [google_project_service.jobs]
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.policies

  project               = local.jobs_project
  display_name          = "uncommon-im: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notification_channels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.duration
      evaluation_interval = "60s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What to do: ${var.runbook}#${each.key}"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_project_service.jobs, google_monitoring_monitored_project.data]
}

resource "google_monitoring_dashboard" "this" {
  project        = local.jobs_project
  dashboard_json = templatefile("${path.module}/../dashboard.json", { job = var.job })

  depends_on = [google_project_service.jobs]
}
