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
variable "workspace" { default = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/w" }
resource "azurerm_machine_learning_compute_cluster" "train" {
  name                          = "train"
  location                      = "westeurope"
  machine_learning_workspace_id = var.workspace
  vm_priority                   = "Dedicated"
  vm_size                       = "Standard_ND96isr_H100_v5"
  scale_settings {
    min_node_count                       = 0
    max_node_count                       = 2
    scale_down_nodes_after_idle_duration = "PT30M"
  }
}
resource "azurerm_machine_learning_compute_cluster" "train_cheap" {
  name                          = "cheap"
  location                      = "westeurope"
  machine_learning_workspace_id = var.workspace
  vm_priority                   = "LowPriority"
  vm_size                       = "Standard_NC24ads_A100_v4"
  scale_settings {
    min_node_count                       = 12
    max_node_count                       = 12
    scale_down_nodes_after_idle_duration = "PT30M"
  }
}
resource "azurerm_batch_account" "b" {
  name                = "mlbatch"
  resource_group_name = azurerm_resource_group.rg.name
  location            = azurerm_resource_group.rg.location
}
resource "azurerm_batch_pool" "train" {
  for_each                 = { on = "Enabled", off = "Disabled" }
  name                     = "train-${each.key}"
  resource_group_name      = azurerm_resource_group.rg.name
  account_name             = azurerm_batch_account.b.name
  node_agent_sku_id        = "batch.node.ubuntu 22.04"
  vm_size                  = "STANDARD_ND96ISR_H100_V5"
  inter_node_communication = each.value
  fixed_scale { target_dedicated_nodes = 2 }
  storage_image_reference {
    publisher = "microsoft-dsvm"
    offer     = "ubuntu-hpc"
    sku       = "2204"
    version   = "latest"
  }
}
