terraform {
  required_providers {
    oci = { source = "oracle/oci" }
  }
}
variable "pools" { type = any }
variable "compartment" {}
variable "subnet" {}
variable "ad" {}
locals {
  defaults = { capacity_reservation_id = null, shape = "BM.GPU.H100.8", size = 2 }
  pools    = { for k, v in var.pools : k => merge(local.defaults, v) }
}
resource "oci_core_instance_configuration" "this" {
  for_each       = local.pools
  compartment_id = var.compartment
  instance_details {
    instance_type = "compute"
    launch_details {
      compartment_id          = var.compartment
      shape                   = each.value.shape
      capacity_reservation_id = each.value.capacity_reservation_id
      dynamic "agent_config" {
        for_each = [1]
        content {
          dynamic "plugins_config" {
            for_each = ["Compute HPC RDMA Authentication", "Compute HPC RDMA Auto-Configuration"]
            content {
              name          = plugins_config.value
              desired_state = "ENABLED"
            }
          }
        }
      }
    }
  }
}
resource "oci_core_cluster_network" "this" {
  for_each       = local.pools
  compartment_id = var.compartment
  display_name   = each.key
  instance_pools {
    instance_configuration_id = oci_core_instance_configuration.this[each.key].id
    size                      = each.value.size
  }
  placement_configuration {
    availability_domain = var.ad
    primary_subnet_id   = var.subnet
  }
}
