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
resource "google_compute_network" "gpu" {
  count                   = 8
  name                    = "gpu-${count.index}"
  auto_create_subnetworks = false
}
resource "google_compute_subnetwork" "gpu" {
  count         = 8
  name          = "gpu-${count.index}"
  network       = google_compute_network.gpu[count.index].id
  ip_cidr_range = "10.${count.index + 1}.0.0/20"
}
resource "google_compute_network" "extra" {
  count                   = 1
  name                    = "extra-${count.index}"
  auto_create_subnetworks = false
}
resource "google_compute_subnetwork" "extra" {
  count         = 1
  name          = "extra-${count.index}"
  network       = google_compute_network.extra[count.index].id
  ip_cidr_range = "10.${count.index + 1}.0.0/20"
}
resource "google_compute_network" "rdma" {
  name                    = "rdma"
  auto_create_subnetworks = false
  mtu                     = 8896
  network_profile         = "projects/acme-ml/global/networkProfiles/europe-west4-b-vpc-roce"
}
resource "google_compute_subnetwork" "rdma" {
  count         = 8
  name          = "rdma-${count.index}"
  network       = google_compute_network.rdma.id
  ip_cidr_range = "192.168.${count.index}.0/24"
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
resource "google_container_node_pool" "train" {
  name       = "train"
  cluster    = google_container_cluster.zonal.id
  node_count = 2
  placement_policy { type = "COMPACT" }
  network_config {
    dynamic "additional_node_network_configs" {
      for_each = google_compute_subnetwork.gpu
      content {
        network    = additional_node_network_configs.value.network
        subnetwork = additional_node_network_configs.value.name
      }
    }
  }
  node_config {
    machine_type = "a3-megagpu-8g"
  }
}
resource "google_container_node_pool" "train_auto" {
  name       = "train-auto"
  cluster    = google_container_cluster.regional.id
  node_count = 2
  placement_policy { type = "COMPACT" }
  network_config {
    dynamic "additional_node_network_configs" {
      for_each = concat(google_compute_subnetwork.extra, google_compute_subnetwork.rdma)
      content {
        network    = additional_node_network_configs.value.network
        subnetwork = additional_node_network_configs.value.name
      }
    }
  }
  node_locations = ["europe-west4-b"]
  node_config {
    machine_type = "a3-ultragpu-8g"
  }
}
resource "google_container_node_pool" "train_per_zone" {
  name       = "train-per-zone"
  cluster    = google_container_cluster.regional.id
  node_count = 1
  node_config {
    machine_type = "a3-megagpu-8g"
  }
}
resource "google_container_node_pool" "train_two_zones" {
  name       = "train-two-zones"
  cluster    = google_container_cluster.regional.id
  node_count = 1
  network_config {
    dynamic "additional_node_network_configs" {
      for_each = concat(google_compute_subnetwork.extra, google_compute_subnetwork.rdma)
      content {
        network    = additional_node_network_configs.value.network
        subnetwork = additional_node_network_configs.value.name
      }
    }
  }
  node_locations = ["europe-west4-a", "europe-west4-b"]
  node_config {
    machine_type = "a3-ultragpu-8g"
  }
}
resource "google_container_node_pool" "train_compact_wide" {
  name       = "train-compact-wide"
  cluster    = google_container_cluster.regional.id
  node_count = 1
  network_config {
    dynamic "additional_node_network_configs" {
      for_each = concat(google_compute_subnetwork.extra, google_compute_subnetwork.rdma)
      content {
        network    = additional_node_network_configs.value.network
        subnetwork = additional_node_network_configs.value.name
      }
    }
  }
  placement_policy { type = "COMPACT" }
  node_locations = ["europe-west4-a", "europe-west4-b"]
  node_config {
    machine_type = "a3-ultragpu-8g"
  }
}
resource "google_container_node_pool" "train_t4" {
  name       = "train-t4"
  cluster    = google_container_cluster.zonal.id
  node_count = 3
  node_config {
    machine_type = "n1-standard-32"
    guest_accelerator {
      type  = "nvidia-tesla-v100"
      count = 4
    }
  }
}
resource "google_container_node_pool" "serve" {
  name    = "serve"
  cluster = google_container_cluster.regional.id
  autoscaling {
    min_node_count = 1
    max_node_count = 12
  }
  node_config {
    machine_type = "g2-standard-12"
  }
}
resource "google_container_node_pool" "train_total" {
  name    = "train-total"
  cluster = google_container_cluster.regional.id
  autoscaling {
    total_min_node_count = 0
    total_max_node_count = 1
  }
  node_config {
    machine_type = "a3-megagpu-8g"
  }
}
resource "google_container_node_pool" "train_spot" {
  name       = "train-spot"
  cluster    = google_container_cluster.zonal.id
  node_count = 2
  placement_policy { type = "COMPACT" }
  network_config {
    dynamic "additional_node_network_configs" {
      for_each = concat(google_compute_subnetwork.extra, google_compute_subnetwork.rdma)
      content {
        network    = additional_node_network_configs.value.network
        subnetwork = additional_node_network_configs.value.name
      }
    }
  }
  node_config {
    machine_type = "a3-ultragpu-8g"
    spot         = true
  }
}
