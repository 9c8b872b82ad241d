terraform {
  required_providers {
    oci    = { source = "oracle/oci" }
    nebius = { source = "nebius/nebius" }
  }
}
provider "oci" { region = "eu-frankfurt-1" }
provider "oci" {
  alias  = "zurich"
  region = "eu-zurich-1"
}
provider "oci" { alias = "environment" }
provider "nebius" {}
resource "oci_core_vcn" "de" {
  compartment_id = "ocid1.compartment.oc1..x"
  cidr_blocks    = ["10.0.0.0/16"]
}
resource "oci_core_vcn" "ch" {
  provider       = oci.zurich
  compartment_id = "ocid1.compartment.oc1..x"
  cidr_blocks    = ["10.0.0.0/16"]
}
resource "oci_core_vcn" "env" {
  provider       = oci.environment
  compartment_id = "ocid1.compartment.oc1..x"
  cidr_blocks    = ["10.0.0.0/16"]
}
resource "nebius_storage_v1_bucket" "elsewhere" {
  parent_id = "project-u00abcdef"
  name      = "elsewhere"
}
resource "nebius_iam_v2_project" "us" {
  parent_id = "tenant-x"
  name      = "us"
  region    = "us-central1"
}
resource "nebius_storage_v1_bucket" "us" {
  parent_id = nebius_iam_v2_project.us.id
  name      = "us"
}
