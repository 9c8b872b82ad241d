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
resource "azurerm_proximity_placement_group" "p" {
  name                = "p"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
}
resource "azurerm_linux_virtual_machine_scale_set" "train_left" {
  name                         = "train-left"
  resource_group_name          = azurerm_resource_group.rg.name
  location                     = azurerm_resource_group.rg.location
  sku                          = "Standard_ND96isr_H100_v5"
  instances                    = 1
  admin_username               = "ml"
  overprovision                = false
  platform_fault_domain_count  = 1
  proximity_placement_group_id = azurerm_proximity_placement_group.p.id
  admin_ssh_key {
    username   = "ml"
    public_key = "ssh-rsa AAAA"
  }
  os_disk {
    caching              = "None"
    storage_account_type = "Premium_LRS"
  }
  network_interface {
    name    = "n"
    primary = true
    ip_configuration {
      name      = "i"
      primary   = true
      subnet_id = azurerm_subnet.s.id
    }
  }
}
resource "azurerm_linux_virtual_machine_scale_set" "train_right" {
  name                         = "train-right"
  resource_group_name          = azurerm_resource_group.rg.name
  location                     = azurerm_resource_group.rg.location
  sku                          = "Standard_ND96isr_H100_v5"
  instances                    = 1
  admin_username               = "ml"
  overprovision                = false
  platform_fault_domain_count  = 1
  proximity_placement_group_id = azurerm_proximity_placement_group.p.id
  admin_ssh_key {
    username   = "ml"
    public_key = "ssh-rsa AAAA"
  }
  os_disk {
    caching              = "None"
    storage_account_type = "Premium_LRS"
  }
  network_interface {
    name    = "n"
    primary = true
    ip_configuration {
      name      = "i"
      primary   = true
      subnet_id = azurerm_subnet.s.id
    }
  }
}
resource "azurerm_linux_virtual_machine_scale_set" "train_alone" {
  name                        = "train-alone"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_ND96isr_H100_v5"
  instances                   = 1
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  admin_ssh_key {
    username   = "ml"
    public_key = "ssh-rsa AAAA"
  }
  os_disk {
    caching              = "None"
    storage_account_type = "Premium_LRS"
  }
  network_interface {
    name    = "n"
    primary = true
    ip_configuration {
      name      = "i"
      primary   = true
      subnet_id = azurerm_subnet.s.id
    }
  }
}
