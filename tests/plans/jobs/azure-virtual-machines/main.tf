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
resource "azurerm_network_interface" "n" {
  count               = 6
  name                = "n${count.index}"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  ip_configuration {
    name                          = "i"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
  }
}
resource "azurerm_availability_set" "a" {
  name                         = "train"
  location                     = azurerm_resource_group.rg.location
  resource_group_name          = azurerm_resource_group.rg.name
  platform_fault_domain_count  = 1
  platform_update_domain_count = 1
}
resource "azurerm_linux_virtual_machine" "train" {
  count                 = 2
  name                  = "train-${count.index}"
  resource_group_name   = azurerm_resource_group.rg.name
  location              = azurerm_resource_group.rg.location
  size                  = "Standard_ND96isr_H100_v5"
  admin_username        = "ml"
  network_interface_ids = [azurerm_network_interface.n[count.index + 0].id]
  availability_set_id   = azurerm_availability_set.a.id
  admin_ssh_key {
    username   = "ml"
    public_key = "ssh-rsa AAAA"
  }
  os_disk {
    caching              = "None"
    storage_account_type = "Premium_LRS"
  }
}
resource "azurerm_linux_virtual_machine" "train_apart" {
  count                 = 2
  name                  = "train-apart-${count.index}"
  resource_group_name   = azurerm_resource_group.rg.name
  location              = azurerm_resource_group.rg.location
  size                  = "Standard_ND96isr_H100_v5"
  admin_username        = "ml"
  network_interface_ids = [azurerm_network_interface.n[count.index + 2].id]
  admin_ssh_key {
    username   = "ml"
    public_key = "ssh-rsa AAAA"
  }
  os_disk {
    caching              = "None"
    storage_account_type = "Premium_LRS"
  }
}
resource "azurerm_linux_virtual_machine" "train_zones" {
  count                 = 2
  name                  = "train-zones-${count.index}"
  resource_group_name   = azurerm_resource_group.rg.name
  location              = azurerm_resource_group.rg.location
  size                  = "Standard_ND96isr_H100_v5"
  admin_username        = "ml"
  network_interface_ids = [azurerm_network_interface.n[count.index + 4].id]
  zone                  = tostring(count.index + 1)
  admin_ssh_key {
    username   = "ml"
    public_key = "ssh-rsa AAAA"
  }
  os_disk {
    caching              = "None"
    storage_account_type = "Premium_LRS"
  }
}
