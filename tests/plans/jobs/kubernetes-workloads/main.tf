terraform {
  required_providers {
    kubernetes = { source = "hashicorp/kubernetes", version = "~> 2.30" }
    helm       = { source = "hashicorp/helm", version = "~> 3.1" }
  }
}
provider "kubernetes" { config_path = "/dev/null" }
provider "helm" {
  kubernetes = { config_path = "/dev/null" }
}
resource "kubernetes_job_v1" "train" {
  metadata { name = "train" }
  spec {
    parallelism = 2
    completions = 2
    template {
      metadata { labels = { app = "train" } }
      spec {
        container {
          name  = "c"
          image = "nvcr.io/nvidia/pytorch:25.01-py3"
          resources { limits = { "nvidia.com/gpu" = "8", "vpc.amazonaws.com/efa" = "32" } }
        }
      }
    }
  }
}
resource "kubernetes_job_v1" "train_rdma" {
  metadata { name = "train-rdma" }
  spec {
    parallelism = 2
    completions = 2
    template {
      metadata { labels = { app = "train_rdma" } }
      spec {
        container {
          name  = "c"
          image = "nvcr.io/nvidia/pytorch:25.01-py3"
          resources { limits = { "nvidia.com/gpu" = "8", "rdma/ib" = "1" } }
        }
      }
    }
  }
}
resource "kubernetes_job_v1" "train_no_fabric" {
  metadata { name = "train-no-fabric" }
  spec {
    parallelism = 2
    completions = 2
    template {
      metadata { labels = { app = "train_no_fabric" } }
      spec {
        container {
          name  = "c"
          image = "nvcr.io/nvidia/pytorch:25.01-py3"
          resources { limits = { "nvidia.com/gpu" = "8" } }
        }
      }
    }
  }
}
resource "kubernetes_job_v1" "train_alone" {
  metadata { name = "train-alone" }
  spec {
    parallelism = 1
    completions = 1
    template {
      metadata { labels = { app = "train_alone" } }
      spec {
        container {
          name  = "c"
          image = "nvcr.io/nvidia/pytorch:25.01-py3"
          resources { limits = { "nvidia.com/gpu" = "8" } }
        }
      }
    }
  }
}
resource "kubernetes_deployment_v1" "serve" {
  metadata { name = "serve" }
  spec {
    replicas = 6
    selector { match_labels = { app = "serve" } }
    template {
      metadata { labels = { app = "serve" } }
      spec {
        container {
          name  = "c"
          image = "nvcr.io/nvidia/pytorch:25.01-py3"
          resources { limits = { "nvidia.com/gpu" = "1" } }
        }
      }
    }
  }
}
resource "helm_release" "operator" {
  name       = "network-operator"
  repository = "https://helm.ngc.nvidia.com/nvidia"
  chart      = "network-operator"
}
