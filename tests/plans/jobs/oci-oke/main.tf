terraform {
  required_providers {
    oci = { source = "oracle/oci", version = ">= 4.100.0" }
  }
}
provider "oci" { region = "eu-frankfurt-1" }
variable "compartment" { default = "ocid1.compartment.oc1..aaaa" }
variable "subnet" { default = "ocid1.subnet.oc1.eu-frankfurt-1.aaaa" }
data "oci_identity_availability_domains" "ads" { compartment_id = var.compartment }
locals { ads = data.oci_identity_availability_domains.ads.availability_domains }
resource "oci_containerengine_node_pool" "train" {
  compartment_id = var.compartment
  cluster_id     = "ocid1.cluster.oc1.eu-frankfurt-1.aaaa"
  name           = "train"
  node_shape     = "BM.GPU.H100.8"
  node_config_details {
    size = 2
    placement_configs {
      availability_domain = local.ads[0].name
      subnet_id           = var.subnet
    }
  }
}
resource "oci_containerengine_node_pool" "train_wide" {
  compartment_id = var.compartment
  cluster_id     = "ocid1.cluster.oc1.eu-frankfurt-1.aaaa"
  name           = "train_wide"
  node_shape     = "BM.GPU.H100.8"
  node_config_details {
    size = 2
    placement_configs {
      availability_domain = local.ads[0].name
      subnet_id           = var.subnet
    }
    placement_configs {
      availability_domain = local.ads[1].name
      subnet_id           = var.subnet
    }
    placement_configs {
      availability_domain = local.ads[2].name
      subnet_id           = var.subnet
    }
  }
}
resource "oci_containerengine_node_pool" "train_one" {
  compartment_id = var.compartment
  cluster_id     = "ocid1.cluster.oc1.eu-frankfurt-1.aaaa"
  name           = "train_one"
  node_shape     = "BM.GPU.H100.8"
  node_config_details {
    size = 1
    placement_configs {
      availability_domain = local.ads[0].name
      subnet_id           = var.subnet
    }
  }
}
resource "oci_containerengine_node_pool" "infer" {
  compartment_id = var.compartment
  cluster_id     = "ocid1.cluster.oc1.eu-frankfurt-1.aaaa"
  name           = "infer"
  node_shape     = "VM.GPU.A10.1"
  node_config_details {
    size = 40
    placement_configs {
      availability_domain = local.ads[0].name
      subnet_id           = var.subnet
    }
    placement_configs {
      availability_domain = local.ads[1].name
      subnet_id           = var.subnet
    }
    placement_configs {
      availability_domain = local.ads[2].name
      subnet_id           = var.subnet
    }
  }
}
resource "oci_containerengine_node_pool" "train_spot" {
  compartment_id = var.compartment
  cluster_id     = "ocid1.cluster.oc1.eu-frankfurt-1.aaaa"
  name           = "train_spot"
  node_shape     = "VM.GPU3.4"
  node_config_details {
    size = 3
    placement_configs {
      availability_domain = local.ads[0].name
      subnet_id           = var.subnet
      preemptible_node_config {
        preemption_action { type = "TERMINATE" }
      }
    }
  }
}
