variable "where" {
  type      = string
  ephemeral = true
}

provider "aws" {
  region = var.where
}

resource "aws_sqs_queue" "inner" {
  name = "inner"
}
