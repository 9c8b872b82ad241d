terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
    nebius  = { source = "nebius/nebius" }
  }
}

provider "azurerm" {
  features {}
}

provider "nebius" {}

resource "azurerm_resource_group" "contracts" {
  name     = "contracts"
  location = "westeurope"
}

resource "azurerm_storage_account" "golden" {
  name                     = "contractsgolden"
  resource_group_name      = azurerm_resource_group.contracts.name
  location                 = azurerm_resource_group.contracts.location
  account_tier             = "Standard"
  account_replication_type = "ZRS"
}

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
