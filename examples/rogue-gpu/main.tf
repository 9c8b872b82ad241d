# A training stack that its team believes to be "EU only". Four things in it are not what they seem.
terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "burst"
  region = "us-east-1"
}

# The corpus: created where it should be, but its table of runs copies itself to Oregon.
resource "aws_s3_bucket" "corpus" {
  bucket = "acme-training-corpus"
}

resource "aws_dynamodb_table" "runs" {
  name         = "training-runs"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "run_id"
  attribute {
    name = "run_id"
    type = "S"
  }
  replica {
    region_name = "us-west-2"
  }
}

# "Just one more node": capacity was easier to get in Virginia.
resource "aws_instance" "rogue_gpu" {
  provider      = aws.burst
  ami           = "ami-0a1b2c3d4e5f60718"
  instance_type = "p5.48xlarge"
}

# The training job: 32 H100 over two zones, and no EFA interface.
resource "aws_vpc" "train" {
  cidr_block = "10.8.0.0/16"
}

resource "aws_subnet" "train" {
  for_each          = { a = 0, b = 1 }
  vpc_id            = aws_vpc.train.id
  availability_zone = "eu-central-1${each.key}"
  cidr_block        = cidrsubnet(aws_vpc.train.cidr_block, 4, each.value)
}

resource "aws_launch_template" "train" {
  name          = "pretrain"
  image_id      = "ami-0a1b2c3d4e5f60718"
  instance_type = "p5.48xlarge"
}

resource "aws_autoscaling_group" "train" {
  name                = "pretrain"
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = values(aws_subnet.train)[*].id
  launch_template {
    id      = aws_launch_template.train.id
    version = aws_launch_template.train.latest_version
  }
}

# On-call wanted CloudWatch investigations; the provider has no resource for them, so CloudFormation stands in.
resource "aws_cloudformation_stack" "investigations" {
  name = "gpu-investigations"
  template_body = jsonencode({
    Resources = {
      Group = {
        Type       = "AWS::AIOps::InvestigationGroup"
        Properties = { Name = "gpu-health" }
      }
    }
  })
}
