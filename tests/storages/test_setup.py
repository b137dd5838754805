"""What is done to a bucket itself: only what an answer asks for, or what a bucket made by this run gets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.storages.kit import Kit, failure
from wizard.answers import Answers, StorageRule
from wizard.errors import ConnectionLost, Refused, UsageError
from wizard.storages import open_store
from wizard.storages.needs import setups
from wizard.storages.prepare import prepare
from wizard.storages.s3_errors import explain, translate
from wizard.storages.s3_place import Place

AWS = Place("s3", "Amazon S3", "my-app", "us-east-1", "https://s3.us-east-1.amazonaws.com", aws=True)
CLOSED = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def standing(kit: Kit, bucket: str) -> dict[str, Any]:
    """The settings of a bucket, without those that it does not have."""
    found: dict[str, Any] = {"versioning": kit.client.get_bucket_versioning(Bucket=bucket).get("Status")}
    for name, ask in (
        ("policy", lambda: json.loads(kit.client.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]),
        ("lifecycle", lambda: kit.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]),
        (
            "block",
            lambda: kit.client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        ),
    ):
        try:
            found[name] = ask()
        except ClientError:
            found[name] = None
    return found


def rule(kit: Kit, bucket: str, access: str = "signed", create: bool = True, **options: Any) -> StorageRule:
    given = {**kit.rule().options, "bucket": bucket, **options}
    url = f"{kit.s3.endpoint}/{bucket}" if access == "public" else None
    return kit.rule(options=given, create=create, access=access, public_url=url)


@pytest.mark.long
def test_a_bucket_made_here_is_closed_and_looked_after(kit: Kit) -> None:
    name = f"{kit.bucket}-made"
    made = rule(kit, name)
    for _ in range(2):
        prepare(kit.ctx(made))
        found = standing(kit, name)
        assert found["block"] == CLOSED and found["policy"] is None and found["versioning"] == "Enabled"
        assert [r["AbortIncompleteMultipartUpload"] for r in found["lifecycle"]] == [
            {"DaysAfterInitiation": 7}
        ]
    (said,) = setups(Answers(kit.root, storage=(made,)))
    assert f"makes the bucket {name} in us-east-1" in said and "blocks public access" in said
    assert "keeps versions" in said


@pytest.mark.long
def test_a_kill_after_making_it_leaves_no_bucket_half_set_up(kit: Kit) -> None:
    name = f"{kit.bucket}-killed"
    killed = kit.ctx(rule(kit, name))
    killed.journal.put("bucket-missing", open_store(rule(kit, name), killed.vault.resolve).identity, True)
    kit.s3.create_bucket(name)
    prepare(kit.ctx(rule(kit, name)))
    assert standing(kit, name)["block"] == CLOSED
    assert [value["name"] for _, value in kit.journal.all("bucket")] == [name]


def test_a_bucket_that_stood_there_is_left_as_it_is(kit: Kit) -> None:
    before = standing(kit, kit.bucket)
    prepare(kit.ctx(rule(kit, kit.bucket)))
    assert standing(kit, kit.bucket) == before and before["versioning"] is None
    assert setups(Answers(kit.root, storage=(rule(kit, kit.bucket, create=False),))) == ()


@pytest.mark.long
def test_what_is_asked_for_is_added_beside_what_stands(kit: Kit) -> None:
    theirs = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
              "Resource": f"arn:aws:s3:::{kit.bucket}"}  # fmt: skip
    kit.client.put_bucket_policy(
        Bucket=kit.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]})
    )
    old = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}
    kit.client.put_bucket_lifecycle_configuration(Bucket=kit.bucket, LifecycleConfiguration={"Rules": [old]})
    asked = {"make_public": True, "versioning": True, "expire_parts": True}
    wanted = rule(kit, kit.bucket, "public", create=False, **asked)
    for _ in range(2):
        prepare(kit.ctx(wanted))
    found = standing(kit, kit.bucket)
    assert [s["Sid"] for s in found["policy"]] == ["theirs", "AshorePublicRead"]
    assert found["policy"][1]["Action"] == "s3:GetObject" and found["versioning"] == "Enabled"
    assert [r["ID"] for r in found["lifecycle"]] == ["theirs", "ashore-unfinished-uploads"]
    assert found["block"] == {**CLOSED, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    (said,) = setups(Answers(kit.root, storage=(wanted,)))
    assert "lets everybody read by a bucket policy" in said
    quiet = rule(kit, kit.bucket, "signed", create=False, make_public=True)
    assert isinstance(failure(lambda: prepare(kit.ctx(quiet))), UsageError)


@pytest.mark.parametrize(
    ("code", "message", "told", "ours", "hint"),
    [
        ("301", "", {"x-amz-bucket-region": "eu-west-1"}, "bucket-region", "`region: eu-west-1`"),
        ("AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-north-1'", {},
         "bucket-region", "`region: eu-north-1`"),
        ("PermanentRedirect", "", {"endpoint": "my-app.s3.ap-southeast-2.amazonaws.com"}, "bucket-region",
         "`region: ap-southeast-2`"),
        ("RequestTimeTooSkewed", "The difference is too large.",
         {"requesttime": "20260101T001000Z", "servertime": "2026-01-01T00:47:05Z"}, "clock-wrong",
         "37 min 5 s behind"),
        ("AccessDenied", "User: x is not authorized to perform: s3:PutObject on resource: y with an explicit "
         "deny in a policy", {}, "access-denied", "s3:PutObject on this bucket (a policy denies it"),
        ("403", "", {}, "access-denied", "Allow the key s3:PutObject"),
        ("AccessDenied", "public policies are prevented by BlockPublicPolicy", {}, "access-denied",
         "Block Public Access"),
        ("AccessControlListNotSupported", "", {}, "acls-disabled", "default_acl None"),
        ("Unauthorized", "", {}, "access-key-unknown", "AWS_REQUEST_CHECKSUM_CALCULATION"),
        ("BucketAlreadyExists", "", {}, "bucket-taken", "someone else"),
        ("InvalidLocationConstraint", "", {}, "bucket-region", "regions"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(
    code: str, message: str, told: dict[str, str], ours: str, hint: str
) -> None:
    error = explain(code, message, 403, AWS, "writing a.txt", told)
    assert isinstance(error, Refused) and error.code == ours and hint in error.hint


def test_what_the_answer_tells_is_read_from_both_clients(kit: Kit) -> None:
    fields = {"Code": "RequestTimeTooSkewed", "RequestTime": "20260101T010000Z"}
    answer: Any = {
        "Error": {**fields, "ServerTime": "2026-01-01T00:00:00Z"},
        "ResponseMetadata": {"HTTPStatusCode": 403, "HTTPHeaders": {}},
    }
    error = translate(ClientError(answer, "PutObject"), AWS, "writing a")
    assert isinstance(error, Refused) and "60 min 0 s ahead of" in error.hint
    text = (
        "status code: 403: <Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"
    )
    error = translate(PermissionError(text), AWS, "writing a")
    assert isinstance(error, Refused) and "`region: eu-west-3`" in error.hint
    damaged = translate(PermissionError("status code: 400: <Code>BadDigest</Code>"), AWS, "writing a")
    assert isinstance(damaged, ConnectionLost) and damaged.resumable
