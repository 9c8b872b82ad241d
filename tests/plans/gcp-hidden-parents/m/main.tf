terraform {
  required_providers {
    google = { source = "hashicorp/google" }
  }
}
variable "name" {}
variable "location" { default = "europe-west4" }
variable "regions" { default = [] }
locals {
  keyring = var.name == "" ? "elsewhere" : google_kms_key_ring.k[0].id
}
resource "google_kms_key_ring" "k" {
  count    = var.name == "" ? 0 : 1
  name     = var.name
  location = var.location
}
resource "google_kms_crypto_key" "k" {
  name     = var.name
  key_ring = local.keyring
}
resource "google_pubsub_topic" "t" {
  name = var.name
  dynamic "message_storage_policy" {
    for_each = length(var.regions) > 0 ? [1] : []
    content { allowed_persistence_regions = var.regions }
  }
}
