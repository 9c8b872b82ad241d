terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-central-1" }
locals {
  models = {
    plain  = "anthropic.claude-3-haiku-20240307-v1:0"
    eu     = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    us     = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
    global = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
  }
}
resource "aws_bedrockagent_agent" "a" {
  for_each                = local.models
  agent_name              = each.key
  agent_resource_role_arn = "arn:aws:iam::123456789012:role/agent"
  foundation_model        = each.value
}
resource "aws_bedrock_inference_profile" "app" {
  name = "app"
  model_source { copy_from = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0" }
}
resource "aws_bedrockagent_agent" "through_app" {
  agent_name              = "through-app"
  agent_resource_role_arn = "arn:aws:iam::123456789012:role/agent"
  foundation_model        = aws_bedrock_inference_profile.app.arn
}
resource "aws_bedrockagent_agent" "outside" {
  agent_name              = "outside"
  agent_resource_role_arn = "arn:aws:iam::123456789012:role/agent"
  foundation_model        = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abcdef"
}
