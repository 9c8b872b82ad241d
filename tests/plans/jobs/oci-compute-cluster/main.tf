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
resource "oci_core_compute_cluster" "cc" {
  compartment_id      = var.compartment
  availability_domain = local.ads[0].name
}
resource "oci_core_instance" "train" {
  count               = 2
  compartment_id      = var.compartment
  availability_domain = local.ads[0].name
  shape               = "BM.GPU.H100.8"
  compute_cluster_id  = oci_core_compute_cluster.cc.id
  agent_config {
    dynamic "plugins_config" {
      for_each = ["Compute HPC RDMA Authentication", "Compute HPC RDMA Auto-Configuration"]
      content {
        name          = plugins_config.value
        desired_state = "ENABLED"
      }
    }
  }
}
resource "oci_core_instance" "train_apart" {
  count               = 2
  compartment_id      = var.compartment
  availability_domain = local.ads[0].name
  shape               = "BM.GPU.H100.8"
}
resource "oci_core_instance" "train_vm" {
  count               = 3
  compartment_id      = var.compartment
  availability_domain = local.ads[0].name
  shape               = "VM.GPU.A100.80G.4"
}
