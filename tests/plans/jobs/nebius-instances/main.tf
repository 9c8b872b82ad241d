terraform {
  required_providers {
    nebius = { source = "nebius/nebius", version = ">= 0.5" }
  }
}
provider "nebius" {}
variable "project" { default = "project-e00abc" }
resource "nebius_compute_v1_gpu_cluster" "ib" {
  parent_id         = var.project
  name              = "ib"
  infiniband_fabric = "fabric-6"
}
resource "nebius_compute_v1_instance" "train" {
  count              = 2
  parent_id          = var.project
  name               = "train-${count.index}"
  resources          = { platform = "gpu-h100-sxm", preset = "8gpu-128vcpu-1600gb" }
  gpu_cluster        = { id = nebius_compute_v1_gpu_cluster.ib.id }
  network_interfaces = [{ name = "eth0", subnet_id = "vpcsubnet-x", ip_address = {} }]
  boot_disk          = { attach_mode = "READ_WRITE", existing_disk = { id = "computedisk-x" } }
}
resource "nebius_compute_v1_instance" "train_apart" {
  count              = 2
  parent_id          = var.project
  name               = "train-apart-${count.index}"
  resources          = { platform = "gpu-h100-sxm", preset = "8gpu-128vcpu-1600gb" }
  network_interfaces = [{ name = "eth0", subnet_id = "vpcsubnet-x", ip_address = {} }]
  boot_disk          = { attach_mode = "READ_WRITE", existing_disk = { id = "computedisk-x" } }
}
resource "nebius_compute_v1_instance" "train_small" {
  count              = 9
  parent_id          = var.project
  name               = "train-small-${count.index}"
  resources          = { platform = "gpu-h100-sxm", preset = "1gpu-16vcpu-200gb" }
  network_interfaces = [{ name = "eth0", subnet_id = "vpcsubnet-x", ip_address = {} }]
  boot_disk          = { attach_mode = "READ_WRITE", existing_disk = { id = "computedisk-x" } }
}
resource "nebius_compute_v1_instance" "train_spot" {
  count              = 2
  parent_id          = var.project
  name               = "train-spot-${count.index}"
  resources          = { platform = "gpu-h100-sxm", preset = "8gpu-128vcpu-1600gb" }
  gpu_cluster        = { id = nebius_compute_v1_gpu_cluster.ib2.id }
  preemptible        = { on_preemption = "STOP", priority = 3 }
  network_interfaces = [{ name = "eth0", subnet_id = "vpcsubnet-x", ip_address = {} }]
  boot_disk          = { attach_mode = "READ_WRITE", existing_disk = { id = "computedisk-x" } }
}
resource "nebius_compute_v1_gpu_cluster" "ib2" {
  parent_id         = var.project
  name              = "ib2"
  infiniband_fabric = "fabric-6"
}
