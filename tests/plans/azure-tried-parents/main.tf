# Accounts of which one of two is made, and deployments that stand with whichever it is.

terraform {
  required_providers {
    azapi = { source = "azure/azapi" }
  }
}

variable "kind" {
  default = "OpenAI"
}

resource "azurerm_resource_group" "rg" {
  name     = "rg"
  location = "swedencentral"
}

resource "azapi_resource" "plain" {
  count     = var.kind == "OpenAI" ? 1 : 0
  type      = "Microsoft.CognitiveServices/accounts@2025-06-01"
  name      = "a"
  parent_id = azurerm_resource_group.rg.id
  location  = "swedencentral"
}

resource "azapi_resource" "services" {
  count     = var.kind == "AIServices" ? 1 : 0
  type      = "Microsoft.CognitiveServices/accounts@2025-06-01"
  name      = "a"
  parent_id = azurerm_resource_group.rg.id
  location  = "eastus"
}

locals {
  account = try(azapi_resource.plain[0].id, azapi_resource.services[0].id)
  second  = try(azapi_resource.services[0].id, azapi_resource.plain[0].id)
}

module "one" {
  source    = "./d"
  parent_id = local.account
}

module "each" {
  source    = "./d"
  for_each  = toset(["x", "y"])
  parent_id = local.second
}
