
variable "region" { default = "ca-central-1" }
provider "aws" { region = var.region }
resource "aws_sqs_queue" "q" {}
