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
resource "azurerm_linux_virtual_machine_scale_set" "train" {
  name                        = "train"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_ND96isr_H100_v5"
  instances                   = 2
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  zones                       = ["1"]
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
resource "azurerm_linux_virtual_machine_scale_set" "train_split" {
  name                        = "train-split"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_ND96isr_H100_v5"
  instances                   = 2
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  single_placement_group      = false
  zones                       = ["1"]
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
resource "azurerm_linux_virtual_machine_scale_set" "train_zones" {
  name                        = "train-zones"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_ND96isr_H100_v5"
  instances                   = 2
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  zones                       = ["1", "2", "3"]
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
resource "azurerm_linux_virtual_machine_scale_set" "train_ethernet" {
  name                        = "train-ethernet"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_NC80adis_H100_v5"
  instances                   = 5
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  zones                       = ["1"]
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
resource "azurerm_linux_virtual_machine_scale_set" "train_four_by_two" {
  name                        = "train-four-by-two"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_NC80adis_H100_v5"
  instances                   = 4
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  zones                       = ["1"]
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
resource "azurerm_linux_virtual_machine_scale_set" "train_spot" {
  name                        = "train-spot"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_ND96isr_H100_v5"
  instances                   = 2
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  priority                    = "Spot"
  eviction_policy             = "Delete"
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
resource "azurerm_linux_virtual_machine_scale_set" "serve" {
  name                        = "serve"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_NC16as_T4_v3"
  instances                   = 40
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 1
  zones                       = ["1", "2", "3"]
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
