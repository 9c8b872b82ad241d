terraform {
  required_providers {
    google      = { source = "hashicorp/google", version = "~> 6.0" }
    google-beta = { source = "hashicorp/google-beta", version = "~> 6.0" }
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
resource "google_container_cluster" "regional" {
  name                     = "regional"
  location                 = "europe-west4"
  network                  = google_compute_network.host.id
  subnetwork               = google_compute_subnetwork.host.id
  remove_default_node_pool = true
  initial_node_count       = 1
  enable_multi_networking  = true
  datapath_provider        = "ADVANCED_DATAPATH"
}
resource "google_container_cluster" "zonal" {
  name                     = "zonal"
  location                 = "europe-west4-b"
  network                  = google_compute_network.host.id
  subnetwork               = google_compute_subnetwork.host.id
  remove_default_node_pool = true
  initial_node_count       = 1
  enable_multi_networking  = true
  datapath_provider        = "ADVANCED_DATAPATH"
}
resource "google_container_node_pool" "train_slice" {
  name           = "train-slice"
  cluster        = google_container_cluster.regional.id
  node_count     = 4
  node_locations = ["europe-west4-b"]
  placement_policy {
    type         = "COMPACT"
    tpu_topology = "4x4"
  }
  node_config { machine_type = "ct6e-standard-4t" }
}
resource "google_tpu_v2_vm" "train" {
  provider         = google-beta
  project          = "acme-ml"
  name             = "train"
  zone             = "europe-west4-b"
  runtime_version  = "v2-alpha-tpuv5"
  accelerator_type = "v5p-32"
}
