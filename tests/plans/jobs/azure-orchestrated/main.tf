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
resource "azurerm_virtual_network" "v" {
  name                = "ml"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "ml"
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.0.0/20"]
}
resource "azurerm_orchestrated_virtual_machine_scale_set" "train" {
  for_each                    = { one = ["1"], wide = ["1", "2"] }
  name                        = "train-${each.key}"
  location                    = azurerm_resource_group.rg.location
  resource_group_name         = azurerm_resource_group.rg.name
  platform_fault_domain_count = 1
  sku_name                    = "Standard_ND96isr_H100_v5"
  instances                   = 2
  zones                       = each.value
}
resource "azurerm_orchestrated_virtual_machine_scale_set" "train_unsized" {
  name                        = "train-unsized"
  location                    = azurerm_resource_group.rg.location
  resource_group_name         = azurerm_resource_group.rg.name
  platform_fault_domain_count = 1
  sku_name                    = "Standard_ND96isr_H100_v5"
}
