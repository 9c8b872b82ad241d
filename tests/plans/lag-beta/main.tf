terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 6.0"
    }
  }
}

provider "google" {
  project = "acme"
  region  = "europe-west4"
}
provider "google-beta" {
  project = "acme"
  region  = "europe-west4"
}

# Only the beta provider has this type.
resource "google_tpu_v2_vm" "tpu" {
  provider         = google-beta
  name             = "tpu"
  zone             = "europe-west4-a"
  runtime_version  = "tpu-vm-tf-2.13.0"
  accelerator_type = "v2-8"
  scheduling_config { spot = true }
}

resource "google_storage_bucket" "data" {
  name     = "acme-data"
  location = "europe-west4"
  hierarchical_namespace { enabled = true }
}
