variable "project" {
  description = "Id of the project that holds the data: topics, subscriptions, dataset, buckets"
  type        = string
}

variable "jobs_project" {
  description = "Id of the project in which jobs run, and which holds nothing else; null: the project of the data"
  type        = string
  default     = null
}

variable "region" {
  description = "Region of the jobs, the buckets and the dataset"
  type        = string
}

variable "revision" {
  description = "Commit of the image that jobs run: its tag in the repository"
  type        = string
}

variable "operators" {
  description = "Who may launch, update and restart jobs, such as group:detection@example.com"
  type        = list(string)
}

variable "publishers" {
  description = "Who may publish events, such as serviceAccount:collector@PROJECT.iam.gserviceaccount.com"
  type        = list(string)
  default     = []
}

variable "alert_readers" {
  description = "Who may take alerts from their subscription and read the dataset"
  type        = list(string)
  default     = []
}

variable "lake_buckets" {
  description = "Names of buckets that the jobs read history from"
  type        = list(string)
  default     = []
}

variable "notifying_buckets" {
  description = "Of those buckets the ones whose new objects the stream reads: they notify the topic"
  type        = list(string)
  default     = []
}

variable "lake_datasets" {
  description = "Ids of datasets of the data's project that backfills read from"
  type        = list(string)
  default     = []
}

variable "kms_key" {
  description = "Key in the region, projects/P/locations/L/keyRings/R/cryptoKeys/K, for all that is kept; null: Google's own"
  type        = string
  default     = null
}

variable "job" {
  description = "Name of the streaming job"
  type        = string
  default     = "uncommon-im"
}

variable "machine_type" {
  description = "Machines of the workers"
  type        = string
  default     = "n2-standard-2"
}

variable "max_workers" {
  description = "Most workers of a job"
  type        = number
  default     = 10
}

variable "more_worker_permissions" {
  description = "Permissions on the jobs' project that workers are given beyond those in iam.tf"
  type        = list(string)
  default     = []
}

variable "notification_channels" {
  description = "Full names of the channels of Cloud Monitoring that are told of alerts"
  type        = list(string)
  default     = []
}

variable "runbook" {
  description = "Where people read docs/operations/runbook.md"
  type        = string
  default     = "docs/operations/runbook.md"
}

variable "lateness_seconds" {
  description = "The stream's --lateness: alerts are at least so old"
  type        = number
  default     = 600
}

variable "alerts_an_hour" {
  description = "More alerts an hour than this are a flood"
  type        = number
  default     = 200
}
