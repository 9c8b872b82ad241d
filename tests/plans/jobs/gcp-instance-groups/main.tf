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
resource "google_compute_resource_policy" "ultra" {
  name = "ultra"
  group_placement_policy { collocation = "COLLOCATED" }
}
resource "google_compute_resource_policy" "throughput" {
  name = "throughput"
  workload_policy { type = "HIGH_THROUGHPUT" }
}
resource "google_compute_instance_template" "ultra" {
  name_prefix = "ultra-"
  disk {
    source_image = "debian-cloud/debian-12"
    boot         = true
  }
  machine_type = "a3-ultragpu-8g"
  scheduling {
    on_host_maintenance = "TERMINATE"
    automatic_restart   = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.host.id
    nic_type   = "GVNIC"
  }
  dynamic "network_interface" {
    for_each = google_compute_subnetwork.rdma
    content {
      subnetwork = network_interface.value.id
      nic_type   = "MRDMA"
    }
  }
}
resource "google_compute_instance_template" "l4" {
  name_prefix = "l4-"
  disk {
    source_image = "debian-cloud/debian-12"
    boot         = true
  }
  machine_type = "g2-standard-48"
  scheduling {
    on_host_maintenance = "TERMINATE"
    automatic_restart   = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.host.id
    nic_type   = "GVNIC"
  }
}
resource "google_compute_instance_template" "bare" {
  name_prefix = "bare-"
  disk {
    source_image = "debian-cloud/debian-12"
    boot         = true
  }
  machine_type = "a3-ultragpu-8g"
  scheduling {
    on_host_maintenance = "TERMINATE"
    automatic_restart   = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.host.id
    nic_type   = "GVNIC"
  }
}
resource "google_compute_instance_group_manager" "train" {
  name               = "train"
  base_instance_name = "train"
  zone               = "europe-west4-b"
  target_size        = 2
  resource_policies { workload_policy = google_compute_resource_policy.throughput.id }
  version { instance_template = google_compute_instance_template.ultra.self_link_unique }
}
resource "google_compute_region_instance_group_manager" "train_region" {
  name               = "train-region"
  base_instance_name = "train-region"
  region             = "europe-west4"
  target_size        = 2
  version { instance_template = google_compute_instance_template.ultra.self_link_unique }
}
resource "google_compute_region_instance_group_manager" "train_zones" {
  name                      = "train-zones"
  base_instance_name        = "train-zones"
  region                    = "europe-west4"
  distribution_policy_zones = ["europe-west4-a", "europe-west4-b"]
  target_size               = 2
  version { instance_template = google_compute_instance_template.ultra.self_link_unique }
}
resource "google_compute_region_instance_group_manager" "train_any_single" {
  name                             = "train-any-single"
  base_instance_name               = "train-any-single"
  region                           = "europe-west4"
  distribution_policy_zones        = ["europe-west4-a", "europe-west4-b"]
  distribution_policy_target_shape = "ANY_SINGLE_ZONE"
  target_size                      = 2
  version { instance_template = google_compute_instance_template.ultra.self_link_unique }
}
resource "google_compute_region_instance_group_manager" "train_one_listed" {
  name                      = "train-one-listed"
  base_instance_name        = "train-one-listed"
  region                    = "europe-west4"
  distribution_policy_zones = ["europe-west4-b"]
  target_size               = 2
  version { instance_template = google_compute_instance_template.ultra.self_link_unique }
}
resource "google_compute_region_instance_group_manager" "serve" {
  name               = "serve"
  base_instance_name = "serve"
  region             = "europe-west4"
  target_size        = 9
  version { instance_template = google_compute_instance_template.l4.self_link_unique }
}
resource "google_compute_instance_group_manager" "train_scaled" {
  name               = "train-scaled"
  base_instance_name = "train-scaled"
  zone               = "europe-west4-b"
  version { instance_template = google_compute_instance_template.bare.self_link_unique }
}
resource "google_compute_autoscaler" "a" {
  name   = "train-scaled"
  zone   = "europe-west4-b"
  target = google_compute_instance_group_manager.train_scaled.id
  autoscaling_policy {
    min_replicas = 1
    max_replicas = 2
  }
}
