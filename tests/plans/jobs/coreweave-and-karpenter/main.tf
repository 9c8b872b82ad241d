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
resource "kubernetes_manifest" "train" {
  manifest = {
    apiVersion = "compute.coreweave.com/v1alpha1"
    kind       = "NodePool"
    metadata   = { name = "train" }
    spec       = { instanceType = "gd-8xh100ib-i128", targetNodes = 2 }
  }
}
resource "kubernetes_manifest" "karpenter" {
  manifest = {
    apiVersion = "karpenter.sh/v1"
    kind       = "NodePool"
    metadata   = { name = "gpu" }
    spec = {
      template = {
        spec = {
          nodeClassRef = { group = "karpenter.k8s.aws", kind = "EC2NodeClass", name = "gpu" }
          requirements = [
            { key = "node.kubernetes.io/instance-type", operator = "In", values = ["p5.48xlarge"] },
          ]
        }
      }
    }
  }
}
