terraform {
  required_providers {
    google = { source = "hashicorp/google" }
  }
}
provider "google" {
  project = "p"
  region  = "europe-west3"
  zone    = "europe-west3-a"
}
resource "google_storage_bucket" "b" {
  for_each = toset(["EU", "US", "EUR4", "EUR5", "europe-west4"])
  name     = lower(each.key)
  location = each.value
}
resource "google_storage_bucket" "pair" {
  name     = "pair"
  location = "EU"
  custom_placement_config { data_locations = ["EUROPE-WEST1", "EUROPE-WEST2"] }
}
resource "google_bigquery_dataset" "nowhere" { dataset_id = "nowhere" }
resource "google_bigquery_dataset" "eu" {
  dataset_id = "eu"
  location   = "EU"
}
resource "google_compute_disk" "default_zone" { name = "d" }
resource "google_compute_disk" "us" {
  name = "us"
  zone = "us-central1-a"
}
