terraform {
  required_providers {
    aws    = { source = "hashicorp/aws" }
    nebius = { source = "nebius/nebius" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "nebius" {}

# The images stay on the hub ...
resource "aws_s3_bucket" "images" {
  bucket = "clinic-images"
}

# ... and are trained on elsewhere.
resource "nebius_compute_v1_gpu_cluster" "train" {
  parent_id         = "project-e00example"
  name              = "train"
  infiniband_fabric = "fabric-3"
}

resource "nebius_compute_v1_instance" "train" {
  count              = 2
  parent_id          = "project-e00example"
  name               = "train-${count.index}"
  gpu_cluster        = { id = nebius_compute_v1_gpu_cluster.train.id }
  resources          = { platform = "gpu-h100-sxm", preset = "8gpu-128vcpu-1600gb" }
  network_interfaces = [{ name = "eth0", subnet_id = "vpcsubnet-e00example", ip_address = {} }]
  boot_disk          = { attach_mode = "READ_WRITE", existing_disk = { id = "computedisk-e00example" } }
}
