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
resource "google_compute_resource_policy" "mega" {
  name = "mega"
  group_placement_policy { collocation = "COLLOCATED" }
}
resource "google_compute_instance" "train_ultra" {
  count = 2
  name  = "train-ultra-${count.index}"
  zone  = "europe-west4-b"
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
  machine_type      = "a3-ultragpu-8g"
  resource_policies = [google_compute_resource_policy.ultra.id]
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
resource "google_compute_instance" "train_mega" {
  count = 2
  name  = "train-mega-${count.index}"
  zone  = "europe-west4-b"
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
  machine_type      = "a3-megagpu-8g"
  resource_policies = [google_compute_resource_policy.mega.id]
  scheduling {
    on_host_maintenance = "TERMINATE"
    automatic_restart   = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.host.id
    nic_type   = "GVNIC"
  }
  dynamic "network_interface" {
    for_each = google_compute_subnetwork.gpu
    content {
      subnetwork = network_interface.value.id
      nic_type   = "GVNIC"
    }
  }
}
resource "google_compute_instance" "train_thin" {
  count = 2
  name  = "train-thin-${count.index}"
  zone  = "europe-west4-b"
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
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
resource "google_compute_instance" "train_zones" {
  count = 2
  name  = "train-zones-${count.index}"
  zone  = ["europe-west4-a", "europe-west4-b"][count.index]
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
  machine_type = "a2-highgpu-8g"
  scheduling {
    on_host_maintenance = "TERMINATE"
    automatic_restart   = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.host.id
    nic_type   = "GVNIC"
  }
}
resource "google_compute_instance" "train_sixteen" {
  count = 1
  name  = "train-sixteen-${count.index}"
  zone  = "europe-west4-b"
  boot_disk {
    initialize_params { image = "debian-cloud/debian-12" }
  }
  machine_type = "a2-megagpu-16g"
  scheduling {
    on_host_maintenance = "TERMINATE"
    automatic_restart   = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.host.id
    nic_type   = "GVNIC"
  }
}
