terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
  }
}
provider "azurerm" {
  features {}
}
resource "azurerm_resource_group" "nl" {
  name     = "nl"
  location = "West Europe"
}
resource "azurerm_storage_account" "grs" {
  name                     = "grs"
  resource_group_name      = azurerm_resource_group.nl.name
  location                 = azurerm_resource_group.nl.location
  account_tier             = "Standard"
  account_replication_type = "GRS"
}
resource "azurerm_storage_account" "zrs" {
  name                     = "zrs"
  resource_group_name      = azurerm_resource_group.nl.name
  location                 = azurerm_resource_group.nl.location
  account_tier             = "Standard"
  account_replication_type = "ZRS"
}
resource "azurerm_storage_account" "brazil" {
  name                     = "br"
  resource_group_name      = azurerm_resource_group.nl.name
  location                 = "brazilsouth"
  account_tier             = "Standard"
  account_replication_type = "GRS"
}
resource "azurerm_cognitive_account" "ai" {
  name                = "ai"
  resource_group_name = azurerm_resource_group.nl.name
  location            = azurerm_resource_group.nl.location
  kind                = "OpenAI"
  sku_name            = "S0"
}
resource "azurerm_cognitive_deployment" "d" {
  for_each             = toset(["Standard", "DataZoneStandard", "GlobalStandard"])
  name                 = each.key
  cognitive_account_id = azurerm_cognitive_account.ai.id
  model {
    format = "OpenAI"
    name   = "gpt-4o"
  }
  sku { name = each.value }
}
