terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "~> 4.0" }
  }
}
provider "azurerm" {
  features {}
  subscription_id = "00000000-0000-0000-0000-000000000000"
}
resource "azurerm_resource_group" "rg" {
  name     = "ml"
  location = "westeurope"
}
resource "azurerm_kubernetes_cluster" "c" {
  name                = "ml"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  dns_prefix          = "ml"
  default_node_pool {
    name       = "system"
    node_count = 3
    vm_size    = "Standard_D4s_v5"
    zones      = ["1", "2", "3"]
  }
  identity { type = "SystemAssigned" }
}
resource "azurerm_kubernetes_cluster_node_pool" "train" {
  name                  = "train"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.c.id
  vm_size               = "Standard_ND96isr_H100_v5"
  node_count            = 2
  zones                 = ["1"]
}
resource "azurerm_kubernetes_cluster_node_pool" "train_total" {
  name                  = "traintotal"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.c.id
  vm_size               = "Standard_ND96isr_H100_v5"
  node_count            = 3
  zones                 = ["1", "2", "3"]
}
resource "azurerm_kubernetes_cluster_node_pool" "train_grow" {
  name                  = "traingrow"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.c.id
  vm_size               = "Standard_NC96ads_A100_v4"
  auto_scaling_enabled  = true
  min_count             = 1
  max_count             = 3
}
resource "azurerm_kubernetes_cluster_node_pool" "infer" {
  name                  = "infer"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.c.id
  vm_size               = "Standard_NC4as_T4_v3"
  auto_scaling_enabled  = true
  min_count             = 0
  max_count             = 40
  zones                 = ["1", "2", "3"]
}
