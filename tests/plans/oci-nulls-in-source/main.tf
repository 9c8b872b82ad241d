terraform {
  required_providers {
    oci = { source = "oracle/oci", version = "8.28.0" }
  }
}
provider "oci" { region = "eu-frankfurt-1" }
locals {
  defaults = { size = 4, reservation = null, shape = "BM.GPU.H100.8" }
  pools    = { for k, v in { train = {} } : k => merge(local.defaults, v) }
}
resource "oci_core_compute_capacity_reservation" "r" {
  compartment_id      = "ocid1.compartment.oc1..x"
  availability_domain = "x:EU-FRANKFURT-1-AD-1"
  instance_reservation_configs {
    instance_shape = "BM.GPU.H100.8"
    reserved_count = 2
  }
  instance_reservation_configs {
    instance_shape = "VM.Standard.E4.Flex"
    reserved_count = 8
  }
}
resource "oci_core_instance_configuration" "on_demand" {
  for_each       = local.pools
  compartment_id = "ocid1.compartment.oc1..x"
  instance_details {
    instance_type = "compute"
    launch_details {
      compartment_id          = "ocid1.compartment.oc1..x"
      shape                   = each.value.shape
      capacity_reservation_id = each.value.reservation
    }
  }
}
resource "oci_core_cluster_network" "on_demand" {
  for_each       = local.pools
  compartment_id = "ocid1.compartment.oc1..x"
  display_name   = each.key
  instance_pools {
    instance_configuration_id = oci_core_instance_configuration.on_demand[each.key].id
    size                      = each.value.size
  }
  placement_configuration {
    availability_domain = "x:EU-FRANKFURT-1-AD-1"
    primary_subnet_id   = "ocid1.subnet.oc1.eu-frankfurt-1.x"
  }
}
resource "oci_core_instance_configuration" "reserved" {
  compartment_id = "ocid1.compartment.oc1..x"
  instance_details {
    instance_type = "compute"
    launch_details {
      compartment_id          = "ocid1.compartment.oc1..x"
      shape                   = "BM.GPU.H100.8"
      capacity_reservation_id = oci_core_compute_capacity_reservation.r.id
    }
  }
}
resource "oci_core_cluster_network" "reserved" {
  compartment_id = "ocid1.compartment.oc1..x"
  display_name   = "pretrain"
  instance_pools {
    instance_configuration_id = oci_core_instance_configuration.reserved.id
    size                      = 4
  }
  placement_configuration {
    availability_domain = "x:EU-FRANKFURT-1-AD-1"
    primary_subnet_id   = "ocid1.subnet.oc1.eu-frankfurt-1.x"
  }
}
