terraform {
  required_providers {
    azapi = { source = "azure/azapi" }
  }
}
variable "parent_id" {}
resource "azapi_resource" "this" {
  type = "Microsoft.CognitiveServices/accounts/deployments@2025-06-01"
  name = "d"
  parent_id = var.parent_id
  body = { sku = { name = "DataZoneStandard" } }
}
