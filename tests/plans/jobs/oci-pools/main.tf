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
resource "oci_core_instance_configuration" "h100" {
  compartment_id = var.compartment
  instance_details {
    instance_type = "compute"
    launch_details {
      compartment_id = var.compartment
      shape          = "BM.GPU.H100.8"
      agent_config {
        plugins_config {
          name          = "Compute HPC RDMA Authentication"
          desired_state = "ENABLED"
        }
        plugins_config {
          name          = "Compute HPC RDMA Auto-Configuration"
          desired_state = "ENABLED"
        }
      }
      create_vnic_details { subnet_id = var.subnet }
      source_details {
        source_type = "image"
        image_id    = "ocid1.image.oc1.eu-frankfurt-1.aaaa"
      }
    }
  }
}
resource "oci_core_instance_configuration" "bare" {
  compartment_id = var.compartment
  instance_details {
    instance_type = "compute"
    launch_details {
      compartment_id = var.compartment
      shape          = "BM.GPU.H100.8"
      create_vnic_details { subnet_id = var.subnet }
      source_details {
        source_type = "image"
        image_id    = "ocid1.image.oc1.eu-frankfurt-1.aaaa"
      }
    }
  }
}
resource "oci_core_instance_configuration" "a10" {
  compartment_id = var.compartment
  instance_details {
    instance_type = "compute"
    launch_details {
      compartment_id = var.compartment
      shape          = "VM.GPU.A10.2"
      agent_config {
        plugins_config {
          name          = "Compute HPC RDMA Authentication"
          desired_state = "ENABLED"
        }
        plugins_config {
          name          = "Compute HPC RDMA Auto-Configuration"
          desired_state = "ENABLED"
        }
      }
      create_vnic_details { subnet_id = var.subnet }
      source_details {
        source_type = "image"
        image_id    = "ocid1.image.oc1.eu-frankfurt-1.aaaa"
      }
    }
  }
}
resource "oci_core_cluster_network" "train" {
  compartment_id = var.compartment
  instance_pools {
    instance_configuration_id = oci_core_instance_configuration.h100.id
    size                      = 2
  }
  placement_configuration {
    availability_domain = local.ads[0].name
    primary_subnet_id   = var.subnet
  }
}
resource "oci_core_cluster_network" "train_no_plugins" {
  compartment_id = var.compartment
  instance_pools {
    instance_configuration_id = oci_core_instance_configuration.bare.id
    size                      = 2
  }
  placement_configuration {
    availability_domain = local.ads[0].name
    primary_subnet_id   = var.subnet
  }
}
resource "oci_core_instance_pool" "train_pool" {
  compartment_id            = var.compartment
  instance_configuration_id = oci_core_instance_configuration.h100.id
  size                      = 2
  placement_configurations {
    availability_domain = local.ads[0].name
    primary_subnet_id   = var.subnet
  }
}
resource "oci_core_instance_pool" "train_pool_wide" {
  compartment_id            = var.compartment
  instance_configuration_id = oci_core_instance_configuration.h100.id
  size                      = 2
  placement_configurations {
    availability_domain = local.ads[0].name
    primary_subnet_id   = var.subnet
  }
  placement_configurations {
    availability_domain = local.ads[1].name
    primary_subnet_id   = var.subnet
  }
}
resource "oci_core_instance_pool" "serve" {
  compartment_id            = var.compartment
  instance_configuration_id = oci_core_instance_configuration.a10.id
  size                      = 9
  placement_configurations {
    availability_domain = local.ads[0].name
    primary_subnet_id   = var.subnet
  }
  placement_configurations {
    availability_domain = local.ads[1].name
    primary_subnet_id   = var.subnet
  }
  placement_configurations {
    availability_domain = local.ads[2].name
    primary_subnet_id   = var.subnet
  }
}
resource "oci_core_cluster_network" "train_a10" {
  compartment_id = var.compartment
  instance_pools {
    instance_configuration_id = oci_core_instance_configuration.a10.id
    size                      = 5
  }
  placement_configuration {
    availability_domain = local.ads[0].name
    primary_subnet_id   = var.subnet
  }
}
