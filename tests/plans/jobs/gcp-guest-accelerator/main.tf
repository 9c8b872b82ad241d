terraform {
  required_providers {
    google = { source = "hashicorp/google", version = "~> 6.0" }
  }
}
provider "google" {
  project = "acme-ml"
  region  = "europe-west4"
}
resource "google_compute_network" "host" {
  name                    = "host"
  auto_create_subnetworks = false
}
resource "google_compute_subnetwork" "host" {
  name          = "host"
  network       = google_compute_network.host.id
  ip_cidr_range = "10.0.0.0/20"
}
resource "google_compute_instance" "train_nine" {
  count        = 3
  name         = "train-nine-${count.index}"
  zone         = "europe-west4-b"
  machine_type = "n1-standard-32"
  guest_accelerator {
    type  = "nvidia-tesla-v100"
    count = 3
  }
  scheduling { on_host_maintenance = "TERMINATE" }
  network_interface { subnetwork = google_compute_subnetwork.host.id }
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
}
resource "google_compute_instance" "train_eight" {
  count        = 2
  name         = "train-eight-${count.index}"
  zone         = "europe-west4-b"
  machine_type = "n1-standard-32"
  guest_accelerator {
    type  = "nvidia-tesla-v100"
    count = 4
  }
  scheduling { on_host_maintenance = "TERMINATE" }
  network_interface { subnetwork = google_compute_subnetwork.host.id }
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
}
resource "google_compute_instance" "render" {
  count        = 9
  name         = "render-${count.index}"
  zone         = "europe-west4-b"
  machine_type = "n1-standard-32"
  guest_accelerator {
    type  = "nvidia-tesla-t4"
    count = 1
  }
  scheduling { on_host_maintenance = "TERMINATE" }
  network_interface { subnetwork = google_compute_subnetwork.host.id }
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
}
resource "google_compute_instance" "t4" {
  count        = 3
  name         = "t4-${count.index}"
  zone         = "europe-west4-b"
  machine_type = "n1-standard-32"
  labels       = { role = "training" }
  guest_accelerator {
    type  = "nvidia-tesla-t4"
    count = 4
  }
  scheduling { on_host_maintenance = "TERMINATE" }
  network_interface { subnetwork = google_compute_subnetwork.host.id }
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
}
resource "google_compute_instance" "train_newest" {
  count        = 2
  name         = "train-newest-${count.index}"
  zone         = "europe-west4-b"
  machine_type = "n1-standard-32"
  guest_accelerator {
    type  = "nvidia-z900"
    count = 8
  }
  scheduling { on_host_maintenance = "TERMINATE" }
  network_interface { subnetwork = google_compute_subnetwork.host.id }
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
}
