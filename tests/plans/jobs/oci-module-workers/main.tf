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
module "workers" { # a reservation only if a pool asks for one: the plan does not say that none did
  source      = "./workers"
  compartment = var.compartment
  subnet      = var.subnet
  ad          = local.ads[0].name
  pools = {
    train-a = {}
    train-b = { size = 4, shape = "BM.GPU4.8" }
  }
}
