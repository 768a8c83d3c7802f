# Workers have no addresses of their own: they reach Google's services through the subnetwork, and nothing else.
resource "google_compute_network" "jobs" {
  project                 = local.jobs_project
  name                    = "uncommon-im"
  auto_create_subnetworks = false

  depends_on = [google_project_service.jobs]
}

resource "google_compute_subnetwork" "jobs" {
  project                  = local.jobs_project
  name                     = "uncommon-im"
  region                   = var.region
  network                  = google_compute_network.jobs.id
  ip_cidr_range            = "10.10.0.0/22"
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Workers talk to each other on these ports, and carry this tag
# (https://cloud.google.com/dataflow/docs/guides/routes-firewall).
resource "google_compute_firewall" "workers" {
  project     = local.jobs_project
  name        = "uncommon-im-workers"
  network     = google_compute_network.jobs.id
  direction   = "INGRESS"
  source_tags = ["dataflow"]
  target_tags = ["dataflow"]

  allow {
    protocol = "tcp"
    ports    = ["12345-12346"]
  }
}
