terraform {
  required_providers {
    nebius = { source = "nebius/nebius", version = ">= 0.5" }
  }
}
provider "nebius" {}
variable "project" { default = "project-e00abc" }
module "train" {
  source  = "./nodes"
  name    = "train"
  project = var.project
  nodes   = 2
  fabric  = "fabric-6"
}
module "train_bare" {
  source  = "./nodes"
  name    = "train-bare"
  project = var.project
  nodes   = 2
}
module "train_grows" {
  source    = "./nodes"
  name      = "train-grows"
  project   = var.project
  nodes     = null
  autoscale = { min_node_count = 1, max_node_count = 2 }
}
module "serve" {
  source  = "./nodes"
  name    = "serve"
  project = var.project
  nodes   = 12
  preset  = "1gpu-16vcpu-200gb"
}
