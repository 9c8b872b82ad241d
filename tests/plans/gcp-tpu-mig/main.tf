terraform {
  required_providers {
    google      = { source = "hashicorp/google" }
    google-beta = { source = "hashicorp/google-beta" }
  }
}
provider "google" {
  project = "p"
  region  = "europe-west4"
}
provider "google-beta" {
  project = "p"
  region  = "europe-west4"
}

# MIG with RDMA NICs and HIGH_THROUGHPUT workload policy, resize request
locals {
  zone = "europe-west4-b"
}
resource "google_compute_network" "rdma" {
  name                    = "rdma"
  auto_create_subnetworks = false
  network_profile         = "projects/p/global/networkProfiles/${local.zone}-vpc-roce"
}
resource "google_compute_subnetwork" "rdma" {
  count         = 8
  name          = "rdma-${count.index}"
  network       = google_compute_network.rdma.id
  region        = "europe-west4"
  ip_cidr_range = "10.${count.index}.0.0/16"
}
resource "google_compute_network" "host" {
  count                   = 2
  name                    = "host-${count.index}"
  auto_create_subnetworks = false
}
resource "google_compute_subnetwork" "host" {
  count         = 2
  name          = "host-${count.index}"
  network       = google_compute_network.host[count.index].id
  region        = "europe-west4"
  ip_cidr_range = "192.${count.index}.0.0/16"
}
resource "google_compute_resource_policy" "ht" {
  name   = "ht"
  region = "europe-west4"
  workload_policy {
    type = "HIGH_THROUGHPUT"
  }
}
resource "google_compute_instance_template" "a3u" {
  name_prefix  = "a3u-"
  machine_type = "a3-ultragpu-8g"
  disk {
    source_image = "projects/x/global/images/i"
    boot         = true
  }
  dynamic "network_interface" {
    for_each = google_compute_subnetwork.host
    content {
      subnetwork = network_interface.value.id
      nic_type   = "GVNIC"
    }
  }
  dynamic "network_interface" {
    for_each = google_compute_subnetwork.rdma
    content {
      subnetwork = network_interface.value.id
      nic_type   = "MRDMA"
    }
  }
  scheduling {
    on_host_maintenance = "TERMINATE"
  }
  reservation_affinity {
    type = "NO_RESERVATION"
  }
}
resource "google_compute_instance_group_manager" "train" {
  name               = "train-mig"
  zone               = local.zone
  base_instance_name = "train"
  target_size        = 0
  version {
    instance_template = google_compute_instance_template.a3u.self_link_unique
  }
  resource_policies {
    workload_policy = google_compute_resource_policy.ht.self_link
  }
  update_policy {
    minimal_action = "REPLACE"
    type           = "OPPORTUNISTIC"
  }
}
resource "google_compute_resize_request" "dws" {
  provider               = google-beta
  name                   = "dws"
  instance_group_manager = google_compute_instance_group_manager.train.name
  zone                   = local.zone
  resize_by              = 4
  requested_run_duration {
    seconds = 604800
  }
}

# regional MIG a3-mega over three zones without NICs
resource "google_compute_region_instance_template" "a3m" {
  name_prefix  = "a3m-"
  region       = "europe-west4"
  machine_type = "a3-megagpu-8g"
  disk {
    source_image = "projects/x/global/images/i"
    boot         = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.host[0].id
    nic_type   = "GVNIC"
  }
}
resource "google_compute_region_instance_group_manager" "pretrain" {
  name                      = "pretrain"
  region                    = "europe-west4"
  base_instance_name        = "pretrain"
  target_size               = 6
  distribution_policy_zones = ["europe-west4-a", "europe-west4-b", "europe-west4-c"]
  version {
    instance_template = google_compute_region_instance_template.a3m.id
  }
}
resource "google_compute_region_instance_group_manager" "us" {
  name                             = "finetune-us"
  region                           = "us-central1"
  base_instance_name               = "ft"
  target_size                      = 2
  distribution_policy_target_shape = "ANY_SINGLE_ZONE"
  version {
    instance_template = google_compute_region_instance_template.a3m.id
  }
}

# instance_from_template (bulk)
resource "google_compute_instance_from_template" "bulk" {
  count                    = 4
  name                     = "bulk-train-${count.index}"
  zone                     = local.zone
  source_instance_template = google_compute_instance_template.a3u.self_link_unique
}

# TPUs
resource "google_tpu_v2_vm" "v5e" {
  provider         = google-beta
  name             = "v5e-train"
  zone             = "europe-west4-b"
  runtime_version  = "v2-alpha-tpuv5-lite"
  accelerator_type = "v5litepod-64"
}
resource "google_tpu_v2_vm" "v5p" {
  provider        = google-beta
  name            = "v5p-train"
  zone            = "us-east5-a"
  runtime_version = "v2-alpha-tpuv5"
  accelerator_config {
    type     = "V5P"
    topology = "4x4x8"
  }
}
resource "google_tpu_v2_queued_resource" "v6e" {
  provider = google-beta
  name     = "v6e-train"
  zone     = "europe-west4-a"
  tpu {
    node_spec {
      parent  = "projects/p/locations/europe-west4-a"
      node_id = "v6e-train"
      node {
        runtime_version  = "v2-alpha-tpuv6e"
        accelerator_type = "v6e-256"
      }
    }
  }
}
resource "google_tpu_v2_vm" "multi" {
  provider         = google-beta
  count            = 4
  name             = "multislice-train-${count.index}"
  zone             = "europe-west4-b"
  runtime_version  = "v2-alpha-tpuv5-lite"
  accelerator_type = "v5litepod-256"
}
# GKE
resource "google_container_cluster" "c" {
  name                     = "c"
  location                 = "europe-west4"
  remove_default_node_pool = true
  initial_node_count       = 1
  network                  = google_compute_network.host[0].id
  subnetwork               = google_compute_subnetwork.host[0].id
}
resource "google_container_node_pool" "v6e" {
  name           = "v6e-train"
  cluster        = google_container_cluster.c.id
  node_locations = ["europe-west4-a"]
  node_count     = 16
  node_config {
    machine_type = "ct6e-standard-4t"
  }
  placement_policy {
    type         = "COMPACT"
    tpu_topology = "8x8"
  }
}
resource "google_container_node_pool" "v5p_notopo" {
  name           = "v5p-train"
  cluster        = google_container_cluster.c.id
  node_locations = ["europe-west4-a"]
  node_count     = 16
  node_config {
    machine_type = "ct5p-hightpu-4t"
  }
}
resource "google_container_node_pool" "dws" {
  name               = "dws-train"
  cluster            = google_container_cluster.c.id
  location           = "europe-west4"
  node_locations     = ["europe-west4-b"]
  initial_node_count = 0
  autoscaling {
    location_policy      = "ANY"
    total_min_node_count = 0
    total_max_node_count = 8
  }
  queued_provisioning {
    enabled = true
  }
  node_config {
    machine_type = "a4-highgpu-8g"
    flex_start   = true
    guest_accelerator {
      type  = "nvidia-b200"
      count = 8
    }
    reservation_affinity {
      consume_reservation_type = "NO_RESERVATION"
    }
  }
  network_config {
    enable_private_nodes = true
  }
}
resource "google_container_node_pool" "tcpxo" {
  name           = "megatrain"
  cluster        = google_container_cluster.c.id
  node_locations = ["europe-west4-b"]
  node_count     = 4
  node_config {
    machine_type = "a3-megagpu-8g"
    guest_accelerator {
      type  = "nvidia-h100-mega-80gb"
      count = 8
    }
  }
  network_config {
    dynamic "additional_node_network_configs" {
      for_each = range(8)
      content {
        network    = "gpu-${additional_node_network_configs.value}"
        subnetwork = "gpu-sub-${additional_node_network_configs.value}"
      }
    }
  }
  placement_policy {
    type = "COMPACT"
  }
}
