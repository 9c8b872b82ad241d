terraform {
  required_providers {
    nebius = { source = "nebius/nebius" }
  }
}
variable "name" {}
variable "project" {}
variable "fabric" { default = null }
variable "nodes" {}
variable "preset" { default = "8gpu-128vcpu-1600gb" }
variable "autoscale" { default = null }
resource "nebius_compute_v1_gpu_cluster" "this" {
  count             = var.fabric == null ? 0 : 1
  parent_id         = var.project
  name              = var.name
  infiniband_fabric = var.fabric
}
resource "nebius_mk8s_v1_node_group" "this" {
  parent_id        = "mk8scluster-e00abc"
  name             = var.name
  fixed_node_count = var.autoscale == null ? var.nodes : null
  autoscaling      = var.autoscale
  template = {
    resources          = { platform = "gpu-h100-sxm", preset = var.preset }
    gpu_cluster        = one(nebius_compute_v1_gpu_cluster.this)
    network_interfaces = [{ subnet_id = "vpcsubnet-x" }]
    boot_disk          = { type = "NETWORK_SSD", size_gibibytes = 512 }
  }
}
