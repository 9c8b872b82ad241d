terraform {
  required_providers {
    aws = { source = "hashicorp/aws", configuration_aliases = [aws.home] }
  }
}
resource "aws_sqs_queue" "far" {
  count = 2
  name  = "far-${count.index}"
}
resource "aws_sqs_queue" "home" {
  provider = aws.home
  name     = "home"
}
