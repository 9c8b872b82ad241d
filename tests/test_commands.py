"""Command lines: what calls a cloud, what only reads, what cannot be told."""

from __future__ import annotations

import re

import pytest

from auditor.catalog import Catalog
from auditor.resolve.commands import calls

KNOWN = Catalog().workarounds
HOSTS = [re.compile(h) for h in KNOWN.hosts]


def shown(text: str) -> list[str]:
    return [("?" if c.script else "") + c.shown for c in calls(text, KNOWN.programs, HOSTS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aws ec2 run-instances --count 16", ["aws ec2 run-instances"]),
        ("/usr/local/bin/aws --region us-east-1 s3 cp secret s3://b/k", ["aws s3 cp"]),
        ("aws \\\n  sagemaker \\\n  create-cluster --name x", ["aws sagemaker create-cluster"]),
        ("echo a; az vm create -n secret | jq .", ["az vm create"]),
        ("gcloud compute instances create secret --zone z", ["gcloud compute instances create"]),
        ("kubectl -n secret apply -f x.yaml", ["kubectl apply"]),
        ("cat <<EOF | kubectl apply -f -\naws ec2 run-instances\nEOF", ["kubectl apply"]),
        ("bash <<'EOF'\naws ec2 run-instances\nEOF", ["aws ec2 run-instances"]),
        ("bash -c 'sleep 5 && oci compute instance launch --x y'", ["oci compute instance launch"]),
        ("X=$(aws iam create-user --user-name secret)", ["aws iam create-user"]),
        ("echo `aws iam create-user`", ["aws iam create-user"]),
        ("if true; then aws iam create-user; fi", ["aws iam create-user"]),
        ("sudo -E env A=b timeout 30 aws iam create-user", ["aws iam create-user"]),
        ("aws.exe ec2 stop-instances", ["aws ec2 stop-instances"]),
        ("curl -X POST https://management.azure.com/subscriptions/x", ["curl"]),
        ("curl -sd @body https://user:pw@compute.googleapis.com/x", ["curl"]),
        ("aws ec2 run-instances; aws ec2 run-instances", ["aws ec2 run-instances"]),
        ('echo "$(echo $(aws iam create-user) )" ; az vm create', ["aws iam create-user", "az vm create"]),
        ("a=$(echo (x); aws iam create-user) && az vm create", ["aws iam create-user", "az vm create"]),
        ("echo $(aws iam create-user", ["aws iam create-user"]),
        ("echo `aws iam create-user", ["aws iam create-user"]),
        ("echo `aws iam create-user`; az vm create", ["aws iam create-user", "az vm create"]),
        ("diff <(aws iam create-user) x", ["aws iam create-user"]),
        ('X=${Y} aws --region "$R" iam create-user # az vm create', ["aws iam create-user"]),
        ("aws --no-cli-pager --debug --region=eu iam create-user", ["aws iam create-user"]),
        ("cat <<EOF\naws iam create-user\nEOF\naz vm create", ["az vm create"]),
        ("powershell -Command \"aws iam create-user\"; cmd /c az vm create", ["aws iam create-user", "az vm create"]),
        ("""bash -c 'bash -c "aws iam create-user"'""", ["aws iam create-user"]),
        ("aws eks --region us-east-1 create-addon --name secret", ["aws eks create-addon"]),
        ("./env/usr/bin/az group create -n secret", ["az group create"]),
        ("aws-vault exec secret -- aws ec2 run-instances", ["aws ec2 run-instances"]),
        ("az rest --method put --url https://management.azure.com/x", ["az rest"]),
        ("aws s3 sync . s3://b/k && gsutil cp x gs://b", ["aws s3 sync", "gsutil cp"]),
        ('pwsh -Command "New-AzResourceGroup -Name secret"', ["New-AzResourceGroup"]),
        ("eksctl create nodegroup -f x; helm upgrade --install secret x", ["eksctl create nodegroup", "helm upgrade"]),
        ("openstack server create secret", ["openstack server create"]),
        ("env A=b timeout 10 sudo -u root /usr/local/bin/aws ec2 run-instances", ["aws ec2 run-instances"]),
        ("sudo -uroot -E nice -n 5 aws ec2 run-instances", ["aws ec2 run-instances"]),
        ("ls | xargs -n 1 -P4 aws s3 rm", ["aws s3 rm"]),
        ("gsutil -m rsync gs://a gs://b", ["gsutil rsync"]),
        ("azcopy copy x https://a.blob.core.windows.net/c; azcopy list y", ["azcopy copy"]),
        ("s5cmd --endpoint-url x cp a s3://b", ["s5cmd cp"]),
        ("terraform -chdir=us apply -auto-approve", ["terraform apply"]),
        ("terraform output -raw x && tofu init", []),
        # read-only
        ("aws eks --region us-east-1 update-kubeconfig --name x", []),
        ("./env/usr/bin/az account show", []),
        ("az rest --method get --url https://management.azure.com/x", []),
        ("aws --region us-east-1 s3 cp s3://b/k . && gcloud storage cp gs://b/k ./k && gcloud storage ls gs://b", []),
        ("kubectl create secret generic x --dry-run=client -o yaml", []),
        ("aws bedrock-runtime invoke-model --model-id x out", []),
        ("eval $(aws configure export-credentials --format env); helm repo add a b", []),
        ('pwsh -Command "Get-AzVM; Connect-AzAccount"', []),
        ("aws eks update-kubeconfig --name x && kubectl wait --for=condition=Ready pod/x", []),
        ("aws ec2 describe-instances", []),
        ("az aks get-credentials -g x; az account set -s y", []),
        ("gcloud container clusters get-credentials x", []),
        ("kubectl get pods | grep x", []),
        ("kubectl rollout status deploy/x", []),
        ("curl https://management.azure.com/x", []),
        ("curl -X POST https://example.com/aws", []),
        # not a call at all
        ("echo 'aws ec2 run-instances'", []),
        ("# aws ec2 run-instances\necho x", []),
        ("grep -r kubectl .", []),
        ('echo "x\\"; aws iam create-user"', []),
        ("echo \\; aws iam create-user", []),
        ("sudo", []),
        ("aws", []),
        ("sleep 30", []),
        ("", []),
        # content not seen
        ("./deploy.sh x", ["?a script"]),
        ('"${path.module}/x.sh" a', ["?a script"]),
        ("source ./x; $CMD a", ["?a script", "?a command that is computed"]),
        ("aws $CMD", ["?`aws` with a command that is computed"]),
        ("bash deploy.sh", ["?a script"]),
        ('bash -c "$(echo YXdz | base64 -d) s3 rm s3://b"', ["?a command that is computed"]),
        ('eval "$(ssh-agent)"', []),
        ("python3 - <<'PY'\nimport boto3\nPY", ["?python3"]),
        ("python3 --version", []),
        ("python3 deploy.py", ["?python3"]),
        ("curl -X PUT ${aoss.endpoint}/index -d @x", ["?`curl` with an address that is computed"]),
        ("aws s3 cp s3://b/k $TARGET", ["aws s3 cp"]),
    ],
)
def test_calls(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


def test_no_argument_is_shown() -> None:
    texts = [
        "aws --profile hunter2 -x hunter2 ssm put-parameter --value hunter2", "az keyvault secret set --value hunter2",
        "gcloud secrets create hunter2", "kubectl create secret hunter2", "kubectl -n hunter2 delete pod hunter2",
        "oci --profile hunter2 os object put --file hunter2", "./hunter2.sh", "python3 hunter2.py",
    ]  # fmt: skip
    assert "hunter2" not in " ".join(word for t in texts for word in shown(t))


@pytest.mark.parametrize("text", ["'", '"', "$(", "`", "a $(b", "<<EOF", "\\", "((((", "bash -c " + "\"bash -c '" * 50])
def test_broken_text_ends(text: str) -> None:
    assert isinstance(shown(text), list)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gcloud compute instances create x --zone ${...}", ["gcloud compute instances create"]),
        ("aws ${...} run-instances", ["?`aws` with a command that is computed"]),
        ("${...} ec2 run-instances", ["?a command that is computed"]),
        ("echo ${...}", []),
    ],
)
def test_gaps(text: str, expected: list[str]) -> None:
    assert shown(text) == expected
