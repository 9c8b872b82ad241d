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
resource "azurerm_capacity_reservation_group" "g" {
  name                = "h100"
  resource_group_name = azurerm_resource_group.rg.name
  location            = azurerm_resource_group.rg.location
}
resource "azurerm_linux_virtual_machine_scale_set" "train_reserved" {
  name                          = "train-reserved"
  resource_group_name           = azurerm_resource_group.rg.name
  location                      = azurerm_resource_group.rg.location
  sku                           = "Standard_ND96isr_H100_v5"
  instances                     = 2
  admin_username                = "ml"
  overprovision                 = false
  platform_fault_domain_count   = 1
  single_placement_group        = true
  capacity_reservation_group_id = azurerm_capacity_reservation_group.g.id
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
resource "azurerm_linux_virtual_machine_scale_set" "train_many" {
  name                        = "train-many"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_ND96isr_H100_v5"
  instances                   = 101
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
resource "azurerm_linux_virtual_machine_scale_set" "train_domains" {
  name                        = "train-domains"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_ND96isr_H100_v5"
  instances                   = 2
  admin_username              = "ml"
  overprovision               = false
  platform_fault_domain_count = 5
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
resource "azurerm_linux_virtual_machine_scale_set" "train_grows" {
  name                        = "train-grows"
  resource_group_name         = azurerm_resource_group.rg.name
  location                    = azurerm_resource_group.rg.location
  sku                         = "Standard_NC96ads_A100_v4"
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

resource "azurerm_monitor_autoscale_setting" "a" {
  name                = "grow"
  resource_group_name = azurerm_resource_group.rg.name
  location            = azurerm_resource_group.rg.location
  target_resource_id  = azurerm_linux_virtual_machine_scale_set.train_grows.id
  profile {
    name = "p"
    capacity {
      minimum = 1
      default = 1
      maximum = 3
    }
  }
}
