variable "pools" { type = list(map(string)) }
variable "cluster" {}
locals {
  pools = { for p in var.pools : p.name => p }
}
resource "google_container_node_pool" "this" { # null or a number, as each pool asks for it
  for_each           = local.pools
  name               = each.key
  location           = "europe-west4"
  cluster            = var.cluster
  node_count         = lookup(each.value, "autoscaling", "true") == "true" ? null : tonumber(lookup(each.value, "nodes", "1"))
  initial_node_count = lookup(each.value, "autoscaling", "true") == "true" ? 1 : null
  node_locations     = lookup(each.value, "zones", "") == "" ? null : split(",", each.value.zones)
  dynamic "autoscaling" {
    for_each = lookup(each.value, "autoscaling", "true") == "true" ? [each.value] : []
    content {
      min_node_count = 1
      max_node_count = tonumber(lookup(autoscaling.value, "most", "1"))
    }
  }
  node_config {
    machine_type = each.value.type
    dynamic "guest_accelerator" {
      for_each = lookup(each.value, "gpus", "") == "" ? [] : [1]
      content {
        type  = each.value.gpu
        count = tonumber(each.value.gpus)
      }
    }
  }
}
