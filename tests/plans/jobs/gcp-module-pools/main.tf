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
module "pools" {
  source  = "./pools"
  cluster = google_container_cluster.regional.name
  pools = [
    { name = "train-fixed", type = "a2-highgpu-8g", nodes = "2", autoscaling = "false", zones = "europe-west4-b" },
    { name = "train-wide", type = "a2-highgpu-8g", nodes = "1", autoscaling = "false" },
    { name = "train-grows", type = "n1-standard-32", gpu = "nvidia-tesla-v100", gpus = "4", most = "4", zones = "europe-west4-b" },
    { name = "serve", type = "g2-standard-12", most = "12" },
    { name = "system", type = "e2-standard-4", most = "3" },
  ]
}
