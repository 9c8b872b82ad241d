terraform {
  required_providers {
    google = { source = "hashicorp/google", version = "7.45.0" }
  }
}
provider "google" {
  project = "p"
  region  = "europe-west4"
}
resource "terraform_data" "regions" { input = ["europe-west1"] }
module "none" {
  source = "./m"
  name   = "none"
}
module "some" {
  source  = "./m"
  name    = "some"
  regions = ["europe-west1"]
}
module "later" {
  source  = "./m"
  name    = "later"
  regions = terraform_data.regions.output
}
module "abroad" {
  source   = "./m"
  name     = "abroad"
  regions  = ["europe-west1"]
  location = "us-east1"
}
resource "google_sql_database_instance" "no_backups" {
  name             = "no-backups"
  region           = "europe-west4"
  database_version = "POSTGRES_15"
  settings {
    tier = "db-custom-2-13312"
  }
}
resource "google_sql_database_instance" "backups" {
  name             = "backups"
  region           = "europe-west4"
  database_version = "POSTGRES_15"
  settings {
    tier = "db-custom-2-13312"
    backup_configuration { enabled = true }
  }
}
resource "google_pubsub_topic" "each" {
  for_each = { none = [], some = ["europe-west1"], later = [] }
  name     = each.key
  dynamic "message_storage_policy" {
    for_each = each.key == "none" ? [] : [1]
    content { allowed_persistence_regions = each.key == "later" ? terraform_data.regions.output : each.value }
  }
}
